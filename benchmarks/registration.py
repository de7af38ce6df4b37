"""How well and how fast pages are laid over their templates.

    python benchmarks/registration.py [--pages 24] [--data FOLDER]

Drawn forms are put through seeded scanners and phones, so the true place of their corners is known: `error` is that of
the worst corner, in pixels of the template. On real pages it is the distance of landmarks that registration does not
use: SIFT features of the whole picture, matched anew between the laid page and the reference. Time is CPU time of one
thread; decoding the same JPEG stands beside it.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

LANDMARK_REACH_PX = 15.0
"""A landmark that is matched farther away is matched wrongly, or the page is registered wrongly: seen by the share."""

HEAD = (
    f"{'pages':34}{'method':10}{'n':>4}{'laid':>7}{'error p50':>11}{'p95':>7}{'max':>8}"
    f"{'residual p50':>14}{'p95':>7}{'CPU ms':>9}"
)


@dataclass(frozen=True)
class Case:
    """A page to lay, and its true corners where they are known."""

    pixels: NDArray[np.uint8]
    target: object
    corners: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a page."""

    poor: bool
    error_px: float
    residual_px: float
    cpu_ms: float
    method: str


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=24, help="drawn pages for each row; 0 for none")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="real pages; skipped where absent"
    )
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print(HEAD)
    if options.pages:
        drawn(options.pages)
    if (options.data / "idrbt_cheques").is_dir():
        real(options.data)


def drawn(count: int) -> None:
    """Print the rows of drawn forms, and how many of other forms are refused."""
    from tests.segmentation.registration import drawn as forms

    for name, device in (("drawn, scanner", forms.scanner), ("drawn, phone", forms.phone)):
        for method in ("markers", "squares", "features", "page", "page, no reference"):
            show(name, method, [_run(case) for case in _drawn_cases(count, device, method)])
    for name, device in (("another form, scanner", forms.scanner), ("another form, phone", forms.phone)):
        show(name, "features", [_run(case) for case in _drawn_cases(count, device, "features", other=True)])


def _drawn_cases(count: int, device: Callable[[int], Any], method: str, *, other: bool = False) -> Iterator[Case]:
    from segmentation.registration.reference import prepare_reference
    from segmentation.registration.target import Method, RegistrationTarget
    from tests.segmentation.registration import drawn as forms

    for seed in range(count):
        mark = forms.with_squares if method == "squares" else forms.with_markers
        marked, layout = mark(forms.draw_form(seed % 4))
        upright, shown = "no reference" in method, 50 + seed if other else seed % 4
        pixels, corners = _captured(mark, shown, seed, device=device, upright=upright)
        reference = None if upright else prepare_reference(marked, forms.A4)
        kind = Method("markers" if method == "squares" else method.partition(",")[0])
        yield Case(pixels, RegistrationTarget(kind, forms.A4, reference=reference, markers=layout), corners)


@lru_cache(maxsize=64)
def _captured(
    mark: Callable[..., Any], form: int, seed: int, *, device: Callable[[int], Any], upright: bool
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return a filled form as a device sees it, and its corners: the same for each method."""
    from tests.segmentation.registration import drawn as forms

    how = forms.upright(device(1000 + seed)) if upright else device(1000 + seed)
    return forms.capture(forms.fill_in(mark(forms.draw_form(form))[0], seed), how)


def real(data: Path) -> None:
    """Print the rows of real pages, each registered by features on the first of its kind."""
    kinds = dict(_kinds(data))
    for name, files in kinds.items():
        if len(files) > 1:
            show(name, "features", [_run(case) for case in _real_cases(files[0], files[1:])])
    firsts = [files[0] for files in kinds.values()]
    crossed = [case for first in firsts for case in _real_cases(first, [each for each in firsts if each != first])]
    show("another form", "features", [_run(case) for case in crossed])
    _show_decoding(firsts[0])


def _kinds(data: Path) -> Iterator[tuple[str, list[Path]]]:
    banks: dict[str, list[Path]] = {}
    with (data / "idrbt_cheques" / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            banks.setdefault(row["bank"], []).append(data / "idrbt_cheques" / "images" / row["file"])
    yield from ((f"idrbt_cheques {bank}", files) for bank, files in banks.items())
    yield "us_checks", sorted((data / "us_checks" / "images").iterdir())
    yield "forms, exam covers", sorted((data / "forms" / "images").glob("tu_cover*"))
    yield "forms, another cover", [data / "forms" / "images" / "markus_cover.png"]


def _real_cases(first: Path, others: Sequence[Path]) -> Iterator[Case]:
    from segmentation.registration.reference import prepare_reference
    from segmentation.registration.target import Method, RegistrationTarget

    picture = _load(first)
    size = (picture.shape[1], picture.shape[0])
    target = RegistrationTarget(Method.FEATURES, size, reference=prepare_reference(picture, size))
    yield from (Case(_load(path), target) for path in others)


def _load(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def _run(case: Case) -> Outcome:
    from core.types import Page
    from segmentation.registration.register import register
    from segmentation.registration.target import RegistrationTarget

    assert isinstance(case.target, RegistrationTarget)  # noqa: S101 - the dataclass is declared before the import
    started = time.process_time()
    laid = register(Page(index=0, pixels=case.pixels), case.target)
    cpu_ms = 1000 * (time.process_time() - started)
    if case.corners is None:
        error = float("nan") if laid.poor else _landmark_error(laid.page.pixels, case.target.reference)
    else:
        from tests.segmentation.registration.drawn import corner_errors

        error = float(corner_errors(laid.transform, case.corners, case.target.size).max())
    return Outcome(laid.poor, error, laid.registration.residual_px, cpu_ms, laid.registration.method)


def _landmark_error(laid: NDArray[np.uint8], reference: object) -> float:
    """Return the median distance of landmarks that are found in both; nan where there are fewer than ten.

    The median, because one hand writes the same word beside its place on the next page.
    """
    from segmentation.registration.geometry import as_grey
    from segmentation.registration.reference import Reference

    assert isinstance(reference, Reference)  # noqa: S101 - as above
    sift = cv2.SIFT.create(nfeatures=3000)
    (one, of_one), (other, of_other) = (sift.detectAndCompute(each, None) for each in (reference.grey, as_grey(laid)))
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(of_one, of_other, k=2)
    away = [
        float(np.hypot(*np.subtract(one[first.queryIdx].pt, other[first.trainIdx].pt)))
        for first, second in pairs
        if first.distance < 0.7 * second.distance
    ]
    near = [each for each in away if each <= LANDMARK_REACH_PX]
    return float(np.median(near)) if len(near) >= 10 else float("nan")


def show(name: str, method: str, outcomes: Sequence[Outcome]) -> None:
    """Print one row: `laid` is the share that is not poor, and errors and residuals are theirs."""
    laid = [each for each in outcomes if not each.poor]
    row = f"{name:34}{method[:9]:10}{len(outcomes):>4}{len(laid) / max(1, len(outcomes)):>7.0%}"
    if laid:
        errors, residuals = np.array([each.error_px for each in laid]), np.array([each.residual_px for each in laid])
        row += f"{np.nanmedian(errors):>11.2f}{np.nanquantile(errors, 0.95):>7.2f}{np.nanmax(errors):>8.2f}"
        row += f"{np.median(residuals):>14.2f}{np.quantile(residuals, 0.95):>7.2f}"
    else:
        row += f"{'':47}"
    print(row + f"{np.median([each.cpu_ms for each in outcomes]):>9.0f}", flush=True)


def _show_decoding(path: Path) -> None:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    times = []
    for _ in range(5):
        started = time.process_time()
        cv2.imdecode(data, cv2.IMREAD_COLOR)
        times.append(1000 * (time.process_time() - started))
    print(f"plain JPEG decoding of {path.name.split('_')[0]} pages, CPU ms: {np.median(times):.0f}")


if __name__ == "__main__":
    main()
