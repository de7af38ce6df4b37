"""Where things stand: on the paper, apart from one another, page after page, and where the template has them."""

from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidRequest
from forms.kit.layout import BOTTOM, CODE_GAP, CODE_SIDE, MARKERS, SIDES, TOP, Blank, Layout, lay_out
from forms.kit.making import template_of
from forms.kit.spec import FormSpec
from forms.kit.typeface import open_typeface
from tests.forms.kit.kit import example, laid, small, typeface

TYPES = st.sampled_from(
    [
        "digit",
        "amount",
        "date",
        {"name": "digits", "length": 4},
        {"name": "digits", "length": 12},
        {"name": "integer", "maximum": 999},
        {"name": "iban", "country": "DE"},
        {"name": "luhn", "length": 16},
    ]
)
LABELS = st.text("abcdefg ", min_size=1, max_size=90).filter(str.strip)
FIELDS = st.lists(st.fixed_dictionaries({"type": TYPES, "label": LABELS, "help": LABELS}), min_size=1, max_size=25)


def overlap(a: Blank, b: Blank) -> bool:
    one, other = a.box, b.box
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


@settings(max_examples=12)
@given(FIELDS, st.sampled_from(["A4", "Letter"]))
def test_blanks_stand_inside_the_margins_and_apart(fields: list[dict[str, object]], paper: str) -> None:
    named = [{**field, "name": f"field_{place}"} for place, field in enumerate(fields)]
    layout = lay_out(
        FormSpec.model_validate({"form": "card", "title": "Card", "paper": paper, "fields": named}), typeface()
    )
    assert [blank.asked.name for page in layout.pages for blank in page.blanks] == [each["name"] for each in named]
    for page in layout.pages:
        for blank in page.blanks:
            box = blank.box
            assert box.x >= SIDES - 0.01
            assert box.right <= layout.width - SIDES + 0.01
            assert box.y > TOP
            assert box.bottom <= layout.height - BOTTOM
        assert not any(overlap(*pair) for pair in combinations(page.blanks, 2))
        for words in page.words:
            inside = [
                blank
                for blank in page.blanks
                if blank.box.x < words.x + 1 < blank.box.right and blank.box.y - 0.5 < words.y < blank.box.bottom + 1.5
            ]
            assert not inside, words.text
    assert len(template_of(layout).fields) == len(named)


def test_what_does_not_fit_goes_on_on_the_next_page() -> None:
    fields = "\n".join(f"  - {{name: f{place}, type: {{name: iban, country: DE}}}}" for place in range(25))
    layout = laid(f"form: card\ntitle: Card\nfields:\n{fields}")
    assert len(layout.pages) == 3
    template = template_of(layout)
    assert template.pages == 3
    assert [field.page for field in template.fields] == sorted(field.page for field in template.fields)
    foot = [words.text for page in layout.pages for words in page.words if words.text.startswith("Page ")]
    assert foot == ["Page 1 of 3", "Page 2 of 3", "Page 3 of 3"]


def test_a_section_begins_on_a_page_of_its_own_where_it_should() -> None:
    assert [[blank.asked.name for blank in page.blanks] for page in small(pages=3).pages] == [
        ["first"],
        ["second"],
        ["third"],
    ]


def test_long_rows_have_narrower_boxes_to_some_point() -> None:
    row = "form: card\ntitle: Card\nfields:\n  - {{name: a, type: {{name: digits, length: {}}}}}"
    wide, narrow = (laid(row.format(length)).pages[0].blanks[0].box for length in (10, 28))
    assert narrow.width / 28 < wide.width / 10
    with pytest.raises(InvalidRequest, match="a: 40 boxes do not fit"):
        laid(row.format(40))


def test_day_month_and_year_are_told_apart_by_letters_and_ticks() -> None:
    layout = laid("form: card\ntitle: Card\nfields:\n  - {name: a, type: {name: date, order: mdy, year_digits: 2}}")
    blank = layout.pages[0].blanks[0]
    assert (blank.cells, blank.groups) == (6, (2, 4))
    letters = [words for words in layout.pages[0].words if words.tinted]
    assert "".join(words.text for words in letters) == "MMDDYY"
    # Equal distances: so the row is found again.
    steps = [after.x - before.x for before, after in pairwise(letters)]
    assert max(steps) - min(steps) < 1.0


def test_title_and_code_keep_away_from_the_markers() -> None:
    layout = example("water-meter")
    head = layout.width - MARKERS.margin - MARKERS.side - CODE_GAP - CODE_SIDE
    title = layout.pages[0].words[0]
    assert title.text == "Water meter reading"
    assert MARKERS.margin + MARKERS.side < title.x
    assert title.x + typeface().width_mm(title.text, size=title.size, bold=True) < head
    assert MARKERS.margin + CODE_SIDE < TOP


def test_letters_that_the_font_lacks_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"cannot print '水'.*--font"):
        laid("form: card\ntitle: 水\nfields:\n  - {name: a, type: digit}")
    with pytest.raises(InvalidRequest, match="Cannot use"):
        open_typeface(tmp_path / "none.ttf")
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    with pytest.raises(InvalidRequest, match="Cannot use"):
        open_typeface(tmp_path / "bad.ttf")


def test_a_check_across_pages_is_refused() -> None:
    layout: Layout = laid(
        "form: card\ntitle: Card\n"
        "sections:\n"
        "  - {fields: [{name: a, type: amount}]}\n"
        "  - {new_page: true, fields: [{name: b, type: amount}]}\n"
        "checks:\n"
        "  - {kind: equal, fields: [a, b]}\n"
    )
    with pytest.raises(InvalidRequest, match="fields of several pages: a, b"):
        template_of(layout)
