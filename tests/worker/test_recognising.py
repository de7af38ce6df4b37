"""The glyph network is asked about few candidates first, and about all of them where these settle nothing."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import Settings
from core.types import Box, FieldCrop
from model.mining import overlap
from segmentation.lattice import build_lattice, cut_field
from tests import factories
from worker import recognising
from worker.networks import Networks, open_model
from worker.preparing import PreparedField, prepare_field
from worker.recognising import Recognition
from worker.timings import StageTimings


@pytest.fixture(scope="module")
def networks() -> Networks:
    return open_model(Settings())


@pytest.fixture
def asked(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of glyphs of each call of the network, which is asked all the same."""
    counts: list[int] = []
    classify = networks.glyphs.classify

    def counting(glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        counts.append(len(glyphs))
        return classify(glyphs)

    monkeypatch.setattr(networks.glyphs, "classify", counting)
    return counts


def prepared(text: str, seed: int) -> PreparedField:
    image = factories.field(text, seed=seed).image
    grey = image if image.ndim == 2 else np.asarray(image.mean(axis=2), np.uint8)
    box = Box(0, 0, grey.shape[1], grey.shape[0])
    return prepare_field(FieldCrop("field", "digits", box, grey), with_line=True)


FIELDS = [("42020", 0), ("1174", 1), ("350864", 2), ("90217", 3), ("68350", 4), ("7531", 5)]


def test_most_candidates_of_clear_fields_are_never_looked_at(networks: Networks, asked: list[int]) -> None:
    fields = [prepared(*each) for each in FIELDS]
    decoded = Recognition(networks, StageTimings()).read(fields)
    assert sum(asked) < 0.8 * sum(field.candidates.count for field in fields)
    assert all(len(each.digits) == len(each.text) for each in decoded)


def test_where_nothing_settles_all_candidates_are_asked_about(
    networks: Networks, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = [prepared(*each) for each in FIELDS]
    monkeypatch.setattr(recognising, "is_settled", lambda _: False)
    late = Recognition(networks, StageTimings()).read(fields)
    assert sum(asked) == sum(field.candidates.count for field in fields)
    monkeypatch.setattr(recognising, "_that_fit", lambda cutting, _: np.ones(cutting.count, np.bool_))
    at_once = Recognition(networks, StageTimings()).read(fields)
    for one, other in zip(late, at_once, strict=True):
        assert one.text == other.text
        assert one.confidence == pytest.approx(other.confidence, abs=1e-9)
        assert [digit.box for digit in one.digits] == [digit.box for digit in other.digits]


def test_fields_beyond_doubt_are_read_at_a_glance(networks: Networks, asked: list[int]) -> None:
    fields = [prepared(*each) for each in FIELDS]
    recognition = Recognition(networks, StageTimings())
    assert networks.lines is not None
    quick = recognition.read(fields, thorough=False)
    looked_at = sum(asked)
    thorough = recognition.read(fields)
    assert looked_at < sum(asked) - looked_at
    glances = [each for each in quick if each.fused and each.fused.lattice_text is None]
    assert len(glances) >= 2
    for one, other, field in zip(quick, thorough, fields, strict=True):
        assert one.text == other.text
        if one not in glances:
            assert one == other
            continue
        assert one.confidence > 0.9
        for digit, same in zip(one.digits, other.digits, strict=True):
            assert overlap(digit.box, same.box) > 0.5
            assert field.crop.box.x <= digit.box.x


def test_the_second_line_reader_hears_of_what_the_first_leaves_in_doubt_alone(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert networks.lines is not None
    heard = [0, 0]
    read_by = networks.lines.read_by

    def counting(network: int, lines: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        heard[network] += len(lines)
        return read_by(network, lines)

    monkeypatch.setattr(networks.lines, "read_by", counting)
    fields = [prepared(*each) for each in FIELDS]
    Recognition(networks, StageTimings()).read(fields, thorough=False)
    assert heard[1] < heard[0] == len(fields)


def test_an_empty_field_is_asked_nothing(networks: Networks) -> None:
    box = Box(0, 0, 120, 50)
    field = prepare_field(FieldCrop("field", "digits", box, np.full((50, 120), 220, np.uint8)), with_line=True)
    (decoded,) = Recognition(networks, StageTimings()).read([field])
    assert decoded.text == ""


def test_glyphs_of_some_candidates_are_those_of_all() -> None:
    crop = prepared("350864", 2).crop
    cutting, lattice = cut_field(crop), build_lattice(crop)
    some = list(range(0, cutting.count, 3))
    assert len(some) > 3
    for glyph, each in zip(cutting.glyphs(some), some, strict=True):
        assert np.array_equal(glyph, lattice.candidates[each].glyph)
