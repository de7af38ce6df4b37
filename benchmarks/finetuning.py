"""`python -m benchmarks.finetuning ../shared/data`: how much a few hundred corrected cells help on cells never seen.

Meza's cells come from clinic logbooks, without a word on which cell is from which book; their files are numbered. The
cells to learn from are the first of the held-out ones by number, the others all that follow, so that few books stand
on both sides. `digits-open` never saw a cell of any logbook, as a user's model never saw the user's forms;
`--model digits-held-out` learnt from other cells of these books, and has little left to gain.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.settings import Settings
from model.corpora import LabelledString, meza_strings, orand_strings
from model.corrections import Corrections
from model.line.finetuning import TuningOptions
from worker.calibrating import LabelledField
from worker.corrected import FIELDS_FOLDER, CorrectedField, write_labels
from worker.finetuning import Finetuned, FinetuneOptions, finetune

HELD_OUT = 0.25


def main() -> None:
    """Fine-tune once and print before and after."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="collections")
    parser.add_argument("--model", default="digits-open", help="name of the shipped model to begin from")
    parser.add_argument("--cells", type=int, default=300, help="cells to learn from; a third as many are held out")
    parser.add_argument("--epochs", type=int, default=TuningOptions().epochs)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    strings = _numbered(meza_strings(options.folder, training=False))
    count = round(options.cells / (1 - HELD_OUT))
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        found = finetune(
            FinetuneOptions(
                _as_corrections(strings[:count], home / "corrections"),
                Settings(home=home, model=options.model),
                data=options.folder,
                held_out=HELD_OUT,
                tuning=TuningOptions(seed=options.seed, epochs=options.epochs),
                frozen=[
                    *_labelled("orand", orand_strings(options.folder, training=False)),
                    *_labelled("other cells", strings[count:]),
                ],
                tell=_tell,
            )
        )
    _report(found)


def _numbered(strings: Sequence[LabelledString]) -> list[LabelledString]:
    return sorted(strings, key=lambda string: int(string.path.stem))


def _as_corrections(strings: Sequence[LabelledString], folder: Path) -> Path:
    """Write the cells as a user's corrections would be; each is a document of its own."""
    (folder / FIELDS_FOLDER).mkdir(parents=True)
    rows = []
    for field in _labelled("corrections", strings):
        file = f"{FIELDS_FOLDER}/{field.name}"
        (folder / file).write_bytes(field.data)
        rows.append(CorrectedField(file, field.text, document=hashlib.sha256(field.data).hexdigest()))
    write_labels(folder, rows)
    return folder


def _labelled(collection: str, strings: Sequence[LabelledString]) -> Iterator[LabelledField]:
    """Yield the strings whose label is right, or was put right."""
    corrections, original = Corrections(), {"orand": "orand"}.get(collection, "meza")
    for place, string in enumerate(strings):
        text = corrections.of(original, string.path.name, string.text)
        if text:
            group = f"{collection} {place // 8}"
            yield LabelledField(string.path.name, string.path.read_bytes(), text, "digits", group, collection)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _report(found: Finetuned) -> None:
    for name, before in found.before.items():
        after = found.after[name]
        sys.stdout.write(
            f"{name}: {before.share:.1%} of {before.fields} right before, {after.share:.1%} after; "
            f"accepted {before.accepted / before.fields:.1%} before, {after.accepted / after.fields:.1%} after "
            f"({after.wrong} of {after.accepted} wrong)\n"
        )
    sys.stdout.write(f"may be promoted: {found.verdict.promotes} {'; '.join(found.verdict.reasons)}\n")


if __name__ == "__main__":
    main()
