"""Forms of the kit, filled in: the writing is where it should be, and the same for a seed."""

import numpy as np

from examples.drawing import filled
from examples.drawing.hand import draw_hand
from forms.kit.drawing import draw_form
from tests.forms.kit.kit import example, typeface


def test_what_is_invented_may_be_written_there() -> None:
    layout = example("exam-cover")
    for seed in range(5):
        texts = filled.invent(layout, np.random.default_rng(seed))
        for blank in layout.pages[0].blanks:
            text = texts[blank.asked.name]
            assert blank.asked.written_type.automaton().accepts(text) or (not text and not blank.asked.required)
            assert blank.cells is None or len(text) == blank.cells


def test_ink_lies_in_the_blanks_and_nowhere_else() -> None:
    layout = example("exam-cover")
    (paper,) = filled.print_pages(draw_form(layout, typeface(), version=1))
    rng = np.random.default_rng(1)
    texts = {"student": "123456789"}
    inked = filled.fill_in(paper, layout.pages[0].blanks, texts, writer=filled.by_hand(draw_hand(rng)), rng=rng)
    ys, xs = np.nonzero(np.abs(inked.astype(int) - paper).max(axis=2) > 40)
    (box,) = [blank.box for blank in layout.pages[0].blanks if blank.asked.name == "student"]
    assert box.x - 2 < xs.min() / filled.PIXELS_IN_MM
    assert xs.max() / filled.PIXELS_IN_MM < box.right + 2
    assert box.y - 2 < ys.min() / filled.PIXELS_IN_MM
    assert ys.max() / filled.PIXELS_IN_MM < box.bottom + 2


def test_paper_bends_no_more_than_it_should() -> None:
    paper = np.zeros((400, 300, 3), np.uint8)
    paper[::20] = 255
    flat = filled.bend(paper, depth_px=0.0, rng=np.random.default_rng(3))
    bent = filled.bend(paper, depth_px=4.0, rng=np.random.default_rng(3))
    assert np.array_equal(flat, paper)
    assert not np.array_equal(bent, paper)
    # Somewhere within four pixels each line is found again.
    reach = np.array([bent[max(0, y - 5) : y + 6, 150].max() for y in range(20, 380, 20)])
    assert (reach > 100).all()
