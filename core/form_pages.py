"""The pages of a form within a document: put in order, and what is missing or doubled, derived from what they say.

Pages are read apart from one another, in any order and by any process; each says which page of the form it is
(`Registration.form_page`). A document may hold several sets of the form, scanned in one go: a new set begins where a
page comes that the one before has already. Which pages belong together is told by nothing else, so what makes that
doubtful is said: sets in different orders, and pages that say the same.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from core.types import DocumentNote, FormPage, NoteCode, PageReading

TELLING: Final = 5
"""Digits on a page from which two alike are taken for one scanned twice: fewer may well be alike on two sheets."""

_Set = list[tuple[FormPage, PageReading]]


def in_form_order(pages: Sequence[PageReading]) -> tuple[PageReading, ...]:
    """Return a document's pages set by set, each in the order of the form.

    Args:
        pages: in the order of the document; one that says nothing stays behind its neighbour.
    """
    keys: list[tuple[int, int, int]] = []
    place, number, form, seen = 0, 0, "", set[int]()
    for page in pages:
        told = _told(page)
        if told is not None:
            if told.number in seen or told.form != form:
                place, form, seen = place + 1, told.form, set()
            seen.add(told.number)
            number = told.number
        keys.append((place, number, page.index))
    return tuple(page for _, page in sorted(zip(keys, pages, strict=True), key=lambda pair: pair[0]))


def document_notes(pages: Sequence[PageReading]) -> tuple[DocumentNote, ...]:
    """Return which pages of the form are missing or come too often; nothing for forms that do not count pages.

    Where each page comes at least twice, sets of the form were scanned in one go, and each set is looked at by
    itself; else a page that comes more often than another was scanned twice. So may have been two pages of one number
    with the same digits in all fields. Sets of which some run upwards and others do not may be cut in the wrong places.

    Args:
        pages: all of a document that is read, in any order.
    """
    told = [(form_page, page) for page in sorted(pages, key=lambda page: page.index) if (form_page := _told(page))]
    names = dict.fromkeys(form_page.form for form_page, _ in told)
    return tuple(note for name in names for note in _notes([each for each in told if each[0].form == name]))


def _notes(told: _Set) -> tuple[DocumentNote, ...]:
    """Return what is to be said of the pages of one form."""
    numbers = range(1, told[0][0].of + 1)
    counts = Counter(form_page.number for form_page, _ in told)
    fewest = min(counts[number] for number in numbers)
    if fewest >= 2 or max(counts.values()) == 1:
        sets = list(_sets(told))
        missing = (note for place, each in enumerate(sets, 1) for note in _missing(each, place, sets=len(sets)))
        return (*missing, *_disordered(sets), *(note for number in numbers for note in _alike(told, number)))
    return (*_missing(told, 1, sets=1), *(_doubled(told, number) for number in numbers if counts[number] > 1))


def _told(page: PageReading) -> FormPage | None:
    return None if page.registration is None else page.registration.form_page


def _sets(told: _Set) -> Iterator[_Set]:
    """Yield the sets of a form that follow one another."""
    own: _Set = []
    for form_page, page in told:
        if any(form_page.number == other.number for other, _ in own):
            yield own
            own = []
        own.append((form_page, page))
    yield own


def _missing(own: _Set, place: int, *, sets: int) -> Iterator[DocumentNote]:
    there, of = {form_page.number for form_page, _ in own}, own[0][0].of
    indexes = tuple(page.index for _, page in own)
    where = "" if sets == 1 else f" in set {place} of {sets}, which begins on page {indexes[0] + 1} of the document"
    for number in range(1, of + 1):
        if number not in there:
            message = f"Page {number} of {of} of the form is missing{where}."
            yield DocumentNote(NoteCode.PAGE_MISSING, message, number, indexes)


def _doubled(told: _Set, number: int) -> DocumentNote:
    indexes = tuple(page.index for form_page, page in told if form_page.number == number)
    where = " and ".join(str(index + 1) for index in indexes)
    message = f"Page {number} of {told[0][0].of} of the form comes {len(indexes)} times: pages {where} of the document."
    return DocumentNote(NoteCode.PAGE_DOUBLED, message, number, indexes)


def _disordered(sets: Sequence[_Set]) -> Iterator[DocumentNote]:
    """Yield a note where the sets run neither all upwards nor all downwards, about the first that is odd."""
    ways = [_way([form_page.number for form_page, _ in own]) for own in sets]
    told = [(own, way) for own, way in zip(sets, ways, strict=True) if way is not None]
    odd = next((own for own, way in told if way == 0 or way != told[0][1]), None)
    if odd is None or len(sets) == 1:
        return
    first, of = odd[0][0].number, odd[0][0].of
    indexes = tuple(page.index for _, page in odd)
    message = (
        "The sets of the form run in different page orders, so pages of different sets may have been put together; "
        f"the set that begins on page {indexes[0] + 1} of the document begins with page {first} of {of}."
    )
    yield DocumentNote(NoteCode.PAGE_DOUBLED, message, first, indexes)


def _way(numbers: Sequence[int]) -> int | None:
    """Return 1 where the numbers go up, -1 where they go down, 0 where they do both; None for a single one."""
    if len(numbers) < 2:
        return None
    return 1 if sorted(numbers) == numbers else -1 if sorted(numbers, reverse=True) == numbers else 0


def _alike(told: _Set, number: int) -> Iterator[DocumentNote]:
    """Yield a note for each two pages of that number that have the same digits in all fields."""
    alike: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for form_page, page in told:
        if form_page.number == number and sum(len(field.text) for field in page.fields) >= TELLING:
            alike.setdefault(tuple((field.name, field.text) for field in page.fields), []).append(page.index)
    for indexes in alike.values():
        if len(indexes) > 1:
            where = " and ".join(str(index + 1) for index in indexes)
            message = (
                f"Page {number} of {told[0][0].of} of the form has the same digits on pages {where} of the document."
            )
            yield DocumentNote(NoteCode.PAGE_DOUBLED, message, number, tuple(indexes))
