"""A process that reads blocks of fields as it is told, and says how long each took: one side of `rapidocr.py`.

    python -P benchmarks/blocks.py tallyscan ARTIFACT | rapidocr WIDTH[,mask]

Takes a line of JSON, a list of picture files, and answers with a line: seconds, texts, confidences, resident memory.
The clock runs from a file's bytes in memory to its text. For RapidOCR it runs in an environment of its own: nothing
beyond the standard library is imported before the reader asked for, and `-P` keeps this folder's `rapidocr.py` from
standing in for the package.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ReadField = Callable[[bytes], tuple[str, float]]

DIGITS = "0123456789"
ROOT = Path(__file__).resolve().parent.parent


def open_tallyscan(*, artifact: str) -> ReadField:
    """Return Tallyscan's reading of a field: its own pipeline, as in a worker."""
    sys.path.insert(0, str(ROOT))
    from benchmarks.accuracy import open_reader
    from worker.pipeline import ReadRequest

    reader, request = open_reader(Path(artifact) if artifact else None), ReadRequest("digits")

    def read(data: bytes) -> tuple[str, float]:
        field = reader.read(data, request=request).pages[0].fields[0]
        return field.text, field.confidence

    return read


def open_rapidocr(*, min_width: int, masked: bool) -> ReadField:
    """Return RapidOCR's recognition of a line, one thread, of which only the digits are taken.

    Args:
        min_width: pixels to which narrower lines are padded: 320 as shipped; less is faster.
        masked: whether only digits compete in its network's output, instead of all signs that it knows.
    """
    import numpy as np
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine = RapidOCR(params={"Global.log_level": "error", "Rec.rec_img_shape": [3, 48, min_width], **threads})
    engine(np.full((48, 96, 3), 255, np.uint8), use_det=False, use_cls=False, use_rec=True)
    if masked:
        engine.text_rec.session = _digits_of(engine.text_rec.session, engine.text_rec.postprocess_op.character)

    def read(data: bytes) -> tuple[str, float]:
        found = engine(data, use_det=False, use_cls=False, use_rec=True)
        text = "".join(char for char in "".join(found.txts or ()) if char in DIGITS)
        return text, float(min(found.scores or (0.0,)))

    return read


def _digits_of(network: Callable[[Any], Any], signs: list[str]) -> Callable[[Any], Any]:
    """Return the network with all its outputs but the digits' and the blank's, its first, at zero."""
    others = [place for place, sign in enumerate(signs) if place and (len(sign) != 1 or sign not in DIGITS)]

    def masked(lines: Any) -> Any:  # noqa: ANN401 - arrays of a package that this environment may lack
        outputs = network(lines)
        outputs[:, :, others] = 0
        return outputs

    return masked


def resident_mib() -> float:
    """Return the memory that this process holds now."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def answer(read: ReadField, files: list[str]) -> dict[str, object]:
    """Return what reading the files gave, and the seconds it took."""
    pictures = [Path(file).read_bytes() for file in files]
    started, spent = time.perf_counter(), time.process_time()
    found = [read(data) for data in pictures]
    seconds, spent = time.perf_counter() - started, time.process_time() - spent
    return {
        "seconds": seconds,
        "cpu_seconds": spent,
        "texts": [text for text, _ in found],
        "confidences": [sure for _, sure in found],
        "resident_mib": resident_mib(),
    }


def open_side(side: str, option: str) -> ReadField:
    """Return the reading of one side; the option is Tallyscan's artifact, or RapidOCR's least width and `mask`."""
    if side == "tallyscan":
        return open_tallyscan(artifact=option)
    width, _, mask = option.partition(",")
    return open_rapidocr(min_width=int(width), masked=mask == "mask")


def main() -> None:
    """Answer until the input ends."""
    side, option = sys.argv[1], sys.argv[2]
    try:
        read = open_side(side, option)
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is what the benchmark reports
        print(json.dumps({"failed": f"{type(error).__name__}: {error}"}), flush=True)
        return
    print(json.dumps({"ready": side}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(read, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
