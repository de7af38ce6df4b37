"""The overlay: well-formed, accessible, of the page's size, and referring to nothing outside."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.overlay import ACCEPTED_COLOUR, REVIEW_COLOUR, draw_overlay
from core.types import Failure, PageReading, Phase, ReviewReason
from tests.api.conftest import FIELD, PAGE

SVG = "{http://www.w3.org/2000/svg}"


def test_each_field_and_digit_has_its_box() -> None:
    root = ET.fromstring(draw_overlay(PAGE))
    assert root.get("viewBox") == "0 0 60 40"
    boxes = [
        tuple(int(rect.get(name, "")) for name in ("x", "y", "width", "height")) for rect in root.iter(f"{SVG}rect")
    ]
    assert boxes == [(2, 3, 20, 30)] * 3
    assert [text.text for text in root.iter(f"{SVG}text")] == ["42"]


def test_doubtful_fields_look_different_and_say_why() -> None:
    doubtful = replace(FIELD, accepted=False, review_reasons=(ReviewReason.LOW_CONFIDENCE,))
    text = draw_overlay(replace(PAGE, fields=(doubtful,)))
    assert REVIEW_COLOUR in text
    assert ACCEPTED_COLOUR not in text
    assert "to be looked at: low_confidence" in text


def test_it_is_described_in_words() -> None:
    root = ET.fromstring(draw_overlay(PAGE))
    assert root.get("role") == "img"
    named = {element.get("id"): element.text for element in root}
    title, description = (named[name] for name in root.get("aria-labelledby", "").split())
    assert title == "Page 1: what was read"
    assert description == "page: 42, confidence 99.0%."


def test_a_page_without_fields_says_what_it_is() -> None:
    assert "No numbers were found." in draw_overlay(PageReading(0, 10, 10))
    failure = Failure(code="unreadable_image", phase=Phase.DECODE, message="It is <cut> short.", retryable=False)
    assert "It is &lt;cut&gt; short." in draw_overlay(PageReading(0, 0, 0, failure=failure))


def test_only_the_scan_is_referred_to() -> None:
    root = ET.fromstring(draw_overlay(PAGE, scan_url="../0.webp"))
    hrefs = [element.get("href") for element in root.iter() if element.get("href")]
    assert hrefs == ["../0.webp"]
    assert not re.search(r"(?i)<script|style=|<!|url\(|https?://(?!www\.w3\.org/2000/svg)", draw_overlay(PAGE))


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_stays_text(name: str, text: str) -> None:
    field = replace(FIELD, name=name, text=text)
    root = ET.fromstring(draw_overlay(replace(PAGE, fields=(field,))).encode("utf-8", "replace"))
    assert len(list(root.iter(f"{SVG}rect"))) == 3
