"""Several networks as one: the mean of what they find probable."""

import numpy as np
import pytest

from core.errors import InvalidRequest
from model.datasets import normalised
from model.ensemble import Ensemble
from model.recogniser import Recogniser
from tests.model.drawn import printed_digits

GLYPHS = normalised(printed_digits(30)).images


def test_all_members_have_an_equal_say() -> None:
    both = Ensemble.load(("digits", "digits-open"))
    each = [Recogniser.load(name).classify(GLYPHS) for name in ("digits", "digits-open")]
    assert np.abs(each[0] - each[1]).max() > 1e-3, "or the mean shows nothing"
    assert both.classify(GLYPHS) == pytest.approx((each[0] + each[1]) / 2, abs=1e-6)
    assert both.classify(GLYPHS).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_one_alone_is_what_it_is() -> None:
    one = Ensemble.load(("digits",))
    assert (one.classify(GLYPHS) == Recogniser.load("digits").classify(GLYPHS)).all()
    assert one.version == Recogniser.load("digits").info.version


def test_a_version_names_every_member() -> None:
    both = Ensemble.load(("digits-open", "digits"))
    assert both.version.split(" + ") == [Recogniser.load(name).info.version for name in ("digits-open", "digits")]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ((), "each network once"),
        (("digits", "digits"), "each network once"),
        (("digits", "micr"), "micr and digits know other classes"),
    ],
)
def test_what_cannot_be_joined_is_refused(names: tuple[str, ...], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        Ensemble.load(names)
