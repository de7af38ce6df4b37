"""The child process of `test_fuzz.py`: decodes mutated files and prints one JSON line for each outcome."""

import json
import resource
import sys

from core.errors import InputError
from examples.drawing import files
from segmentation.decoding import DecodeLimits, decode_page, inspect
from tests import factories
from tests.mutations import mutate
from tests.segmentation.memory_child import peak_mib

LIMITS = DecodeLimits(max_pixels=4_000_000, max_side=10_000, max_pages=20, pdf_dpi=150)


def originals() -> dict[str, bytes]:
    """Return small valid files of every kind, in the varieties that take different paths."""
    image = files.as_image(factories.field("42020", seed=3).image)
    grey = image.convert("L")
    return {
        "colour.png": files.encode(image.resize((120, 40)), "PNG"),
        "palette.png": files.encode(image.resize((120, 40)).quantize(16), "PNG"),
        "alpha.png": files.encode(grey.resize((120, 40)).convert("LA"), "PNG"),
        "plain.jpg": files.encode(image.resize((120, 40)), "JPEG"),
        "progressive.jpg": files.encode(grey.resize((120, 40)), "JPEG", progressive=True),
        "colour.bmp": files.encode(image.resize((80, 30)), "BMP"),
        "palette.bmp": files.encode(grey.resize((80, 30)), "BMP"),
        "lossy.webp": files.encode(image.resize((120, 40)), "WEBP"),
        "lossless.webp": files.encode(image.resize((120, 40)).convert("RGBA"), "WEBP", lossless=True, exif=b"Exif\0\0"),
        "fax.tiff": factories.tiff_bytes(["42", "17", "3"]),
        "lzw.tiff": factories.tiff_bytes(["42", "17"], compression="tiff_lzw"),
        "jpeg.tiff": factories.tiff_bytes(["42"], compression="jpeg"),
        "raw.tiff": files.encode(grey.resize((60, 20)), "TIFF"),
        "scan.pdf": factories.pdf_bytes(["42", "17"]),
        "fax.pdf": files.pdf([files.black_and_white(factories.field("42").image)]),
    }


def outcome(data: bytes) -> str:
    """Return the code that inspecting and decoding every page ends with, or "pages"."""
    code = "pages"
    try:
        pages = inspect(data, LIMITS).pages
    except InputError as error:
        return error.code
    for index in range(pages):
        try:
            decode_page(data, index, limits=LIMITS)
        except InputError as error:
            code = error.code
    return code


def main() -> None:
    """Decode mutations; arguments: seed, how many, names' ending ("" for all)."""
    seed, count, ending = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    chosen = {name: data for name, data in originals().items() if name.endswith(ending)}
    for mutation in mutate(chosen, count=count, seed=seed):
        line = {"number": mutation.number, "source": mutation.source, "how": mutation.how}
        sys.stdout.write(json.dumps({**line, "code": outcome(mutation.data)}) + "\n")
        sys.stdout.flush()
    # Linux counts the memory of the process that started a program to the program's own `ru_maxrss`. What that adds
    # to the renderers' is this process's, which counts here anyway; what it adds to this one's is the test's.
    renderers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"peak_mib": max(peak_mib("self"), renderers)}) + "\n")


if __name__ == "__main__":
    main()
