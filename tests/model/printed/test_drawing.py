"""Print is drawn in the system's fonts, the same for the same seed, and said truly what it says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from model.line.writing import OTHER
from model.printed import fonts
from model.printed.fields import drawn_field
from model.printed.fonts import PACKAGES, Font, fonts_here, load_fonts
from model.printed.lettering import Setting, hollow, in_dots, set_line, spread
from model.printed.material import WIDEST, held_out, make_samples
from model.printed.scenes import drawn_row
from model.printed.texts import any_text, label_of
from segmentation.printed import find_rows


@pytest.fixture(scope="module")
def here() -> tuple[Font, ...]:
    """Those of the fonts that this system has; Chromium's package alone brings some."""
    found = fonts_here()
    if not found:
        pytest.skip("none of the free fonts is installed: apt-get install fonts-liberation")
    return found


def test_missing_fonts_are_named_by_their_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "font_folders", lambda: [tmp_path])
    fonts_here.cache_clear()
    try:
        with pytest.raises(InvalidRequest, match=r"apt install .*fonts-dejavu-core.*fonts-urw-base35"):
            load_fonts()
        for name in PACKAGES["fonts-urw-base35"]:
            (tmp_path / name).touch()
        fonts_here.cache_clear()
        with pytest.raises(InvalidRequest, match="16 are here") as told:
            load_fonts()
        assert "fonts-urw-base35" not in str(told.value)
        for names in PACKAGES.values():
            for name in names:
                (tmp_path / name).touch()
        fonts_here.cache_clear()
        assert {font.name for font in load_fonts()} == {name for names in PACKAGES.values() for name in names}
    finally:
        fonts_here.cache_clear()


def test_folders_of_fonts_follow_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own" / "fonts").mkdir(parents=True)
    (tmp_path / "shared" / "fonts").mkdir(parents=True)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_DATA_DIRS", f"{tmp_path / 'shared'}:{tmp_path / 'nowhere'}")
    found = fonts.font_folders()
    assert {tmp_path / "own" / "fonts", tmp_path / "shared" / "fonts"} <= set(found)
    assert tmp_path / "nowhere" / "fonts" not in found


@given(st.text(alphabet="0123456789 .-/:ABCxyz₹", max_size=30))
def test_a_label_is_the_digits_and_a_sign_for_each_letter(text: str) -> None:
    said = label_of(text)
    assert said.replace(OTHER, "") == "".join(char for char in text if char.isdigit())
    assert said.count(OTHER) == sum(char.isalpha() or char == "₹" for char in text)


def test_all_kinds_of_texts_are_printed() -> None:
    rng = np.random.default_rng(3)
    texts = [any_text(rng) for _ in range(600)]
    assert {OTHER in label_of(text) for text in texts} == {True, False}
    assert any("/" in text for text in texts)
    assert max(len(label_of(text)) for text in texts) >= 18


def test_samples_are_the_same_for_the_same_seed(here: tuple[Font, ...]) -> None:
    first, again, other = (make_samples(here, 20, seed=(1, 0, chunk)) for chunk in (4, 4, 5))
    assert [sample.text for sample in first] == [sample.text for sample in again]
    assert all((a.pixels == b.pixels).all() for a, b in zip(first, again, strict=True))
    assert [sample.text for sample in first] != [sample.text for sample in other]


def test_samples_are_lines_with_room_for_what_they_say(here: tuple[Font, ...]) -> None:
    samples = make_samples(here, 80, seed=(2, 0, 0))
    assert {sample.pixels.shape[0] for sample in samples} == {32}
    assert all(len(sample.text) < sample.pixels.shape[1] / 2 <= WIDEST / 2 for sample in samples)
    assert all(sample.pixels.max() > 100 for sample in samples)
    assert len({sample.text for sample in samples}) > 60


def test_what_is_held_out_is_not_among_what_is_learnt_from(here: tuple[Font, ...]) -> None:
    learnt = {sample.pixels.tobytes() for sample in make_samples(here, 60, seed=(1, 0, 0))}
    assert not learnt & {sample.pixels.tobytes() for sample in held_out(here)["drawn"][:60]}


@pytest.mark.parametrize("seed", range(6))
def test_a_row_lies_where_its_drawing_says(here: tuple[Font, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = drawn_row(rng, here)
    row = drawn.row
    assert 0 <= row.left < row.right <= drawn.pixels.shape[1]
    assert -2 <= row.top < row.top + row.height <= drawn.pixels.shape[0] + 2


def test_figures_are_as_tall_as_their_setting_says(here: tuple[Font, ...]) -> None:
    for font in here[:12]:
        inked = set_line("0000", Setting(font, 30.0), np.random.default_rng(0))
        rows = np.flatnonzero(inked.coverage.max(axis=1) > 0.3)
        assert rows[0] == pytest.approx(inked.top, abs=2), font.name
        assert rows[-1] + 1 - rows[0] == pytest.approx(inked.height, abs=3), font.name


def test_wear_changes_ink_as_it_says(here: tuple[Font, ...]) -> None:
    ink = set_line("8080", Setting(here[0], 40.0), np.random.default_rng(0)).coverage
    assert spread(ink, sigma=1.4, by=0.3).sum() > ink.sum() > spread(ink, sigma=1.4, by=-0.3).sum()
    assert hollow(ink, height=40.0, left=0.2).sum() < ink.sum()
    dots = in_dots(ink, pitch=5.0, size=0.8)
    assert 0.2 * ink.sum() < dots.sum() < 1.2 * ink.sum()
    assert dots[ink.max(axis=1) == 0][10:-10].sum() <= dots.sum() * 0.2


def test_whole_fields_hold_their_number_and_nothing_else_that_fits(here: tuple[Font, ...]) -> None:
    rng = np.random.default_rng(7)
    fields = [drawn_field(rng, here, lengths=(9, 18)) for _ in range(12)]
    assert all(9 <= len(field.text) <= 18 and field.text.isdigit() for field in fields)
    assert sum(bool(find_rows(field.pixels)) for field in fields) >= 11
