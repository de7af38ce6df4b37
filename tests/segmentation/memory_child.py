"""The child process of `test_decoding_limits.py`: decodes one file, and prints how it ended and its peak memory."""

import json
import re
import sys
from pathlib import Path

from core.errors import InputError
from segmentation import decoding_pdf
from segmentation.decoding import DecodeLimits, decode_page, inspect

LIMITS = DecodeLimits(max_pixels=40_000_000, max_side=20_000, max_pages=100, pdf_dpi=300)


def peak_mib(pid: int | str) -> float:
    """Return a living process's peak resident memory; unlike `ru_maxrss` it does not start at the parent's."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match.group(1)) / 1024 if match else 0.0


def main() -> None:
    """Inspect the file and decode page 0."""
    data = Path(sys.argv[1]).read_bytes()
    code = "page"
    try:
        inspect(data, LIMITS)
        decode_page(data, 0, limits=LIMITS)
    except InputError as error:
        code = error.code
    renderer = decoding_pdf._RENDERER._process
    rendering = peak_mib(renderer.pid) if renderer is not None and renderer.poll() is None else 0.0
    sys.stdout.write(json.dumps({"code": code, "peak_mib": peak_mib("self"), "rendering_mib": rendering}))


if __name__ == "__main__":
    main()
