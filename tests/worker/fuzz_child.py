"""The child process of `test_fuzz_reader.py`: reads mutated files from first byte to last digit."""

import json
import sys

from core.errors import InputError
from core.settings import Settings
from tests.mutations import mutate
from tests.segmentation.fuzz_child import originals
from worker.pipeline import Reader, ReadRequest

SETTINGS = Settings(max_page_pixels=1_000_000, max_page_side=10_000, max_pages=20, pdf_dpi=150)


def outcome(reader: Reader, data: bytes, *, type_name: str | None) -> list[str]:
    """Return the codes of the pages' failures, "read" for each page that was read, or the document's own code."""
    try:
        reading = reader.read(data, request=ReadRequest(type_name))
    except InputError as error:
        return [error.code]
    return [page.failure.code if page.failure else "read" for page in reading.pages]


def main() -> None:
    """Read mutations, every second one without a field type; arguments: seed, how many."""
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    reader = Reader.load(SETTINGS)
    for mutation in mutate(originals(), count=count, seed=seed):
        codes = outcome(reader, mutation.data, type_name=(None, "digits")[mutation.number % 2])
        line = {"number": mutation.number, "source": mutation.source, "how": mutation.how, "codes": codes}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
