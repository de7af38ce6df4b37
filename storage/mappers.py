"""Rows to records and readings to rows: one mapper each way, and the only place that knows both shapes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row

from core.codec import from_json, to_json
from core.form_pages import in_form_order
from core.status import Status
from core.types import (
    Box,
    DigitReading,
    Failure,
    FieldReading,
    PageReading,
    ProcessingStep,
    ReaderInfo,
    Registration,
    ReviewReason,
)
from storage.records import (
    Attempt,
    BatchRecord,
    Claim,
    CorrectionRecord,
    DocumentRecord,
    KeyRecord,
    NewCorrection,
    NewDocument,
    Scope,
    TemplateRecord,
    TemplateRef,
)

AnyRow = Row[*tuple[Any, ...]]
Values = dict[str, Any]


# Rows to records.


def document_record(
    row: AnyRow, pages: tuple[PageReading, ...] = (), corrections: tuple[CorrectionRecord, ...] = ()
) -> DocumentRecord:
    """Return the document in a whole row of `documents`, with `pages` and `corrections` put in."""
    return DocumentRecord(
        id=row.id,
        owner=row.owner,
        batch_id=row.batch_id,
        status=row.status,
        filename=row.filename,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        type_name=row.type_name,
        template=_template_ref(row),
        priority=row.priority,
        tags=tuple(row.tags),
        callback_url=row.callback_url,
        duplicate_of=row.duplicate_of,
        attempts=row.attempts,
        pages_total=row.pages_total,
        pages_done=row.pages_done,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        failure=failure(row.failure),
        reader=_reader(row),
        pages=pages,
        version=row.version,
        steps=steps(row.steps),
        target_error=row.target_error,
        expected_micr=row.expected_micr,
        corrections=corrections,
    )


def correction_record(row: AnyRow, *, current: bool) -> CorrectionRecord:
    """Return the correction in a row of `corrections` with its document's `filename`."""
    return CorrectionRecord(
        **{name: getattr(row, name) for name in _CORRECTION_COLUMNS},
        box=_box(row),
        reader=_reader(row),
        current=current,
    )


_CORRECTION_COLUMNS = tuple(
    name for name in CorrectionRecord.__dataclass_fields__ if name not in {"box", "reader", "current"}
)


def page_readings(page_rows: Iterable[AnyRow], field_rows: Iterable[AnyRow]) -> dict[str, tuple[PageReading, ...]]:
    """Return the pages of each document id, those of forms in their order; both kinds of rows come in reading order."""
    fields: defaultdict[tuple[str, int], list[FieldReading]] = defaultdict(list)
    for row in field_rows:
        fields[row.document_id, row.page_index].append(_field_reading(row))
    pages: defaultdict[str, list[PageReading]] = defaultdict(list)
    for row in page_rows:
        pages[row.document_id].append(_page_reading(row, tuple(fields[row.document_id, row.page_index])))
    return {document_id: in_form_order(found) for document_id, found in pages.items()}


def claim(row: AnyRow, *, token: str, attempt: int, page_index: int | None = None) -> Claim:
    """Return the hold on a document, or on one of its pages, from the document's row."""
    return Claim(
        document_id=row.id,
        page_index=page_index,
        attempt=attempt,
        token=token,
        owner=row.owner,
        batch_id=row.batch_id,
        sha256=row.sha256,
        filename=row.filename,
        type_name=row.type_name,
        template=_template_ref(row),
        priority=row.priority,
        target_error=row.target_error,
        expected_micr=row.expected_micr,
    )


def batch_record(row: AnyRow, counts: dict[Status, int]) -> BatchRecord:
    """Return the batch in a row of `batches`; every status has a count."""
    complete = {status: counts.get(status, 0) for status in Status}
    return BatchRecord(
        id=row.id,
        owner=row.owner,
        name=row.name,
        created_at=row.created_at,
        counts=complete,
        total=sum(complete.values()),
    )


def key_record(row: AnyRow) -> KeyRecord:
    """Return the key in a row of `api_keys`."""
    return KeyRecord(
        id=row.id,
        owner=row.owner,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


def template_record(row: AnyRow) -> TemplateRecord:
    """Return the template version in a row of `templates`."""
    return TemplateRecord(name=row.name, version=row.version, body=row.body, created_at=row.created_at)


def attempt(row: AnyRow) -> Attempt:
    """Return the attempt in a row of `attempts`."""
    return Attempt(
        document_id=row.document_id,
        page_index=row.page_index,
        number=row.number,
        worker=row.worker,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
        failure=failure(row.failure),
    )


def failure(data: Values | None) -> Failure | None:
    """Return a stored failure."""
    return None if data is None else from_json(Failure, data)


def _template_ref(row: AnyRow) -> TemplateRef | None:
    return None if row.template_name is None else TemplateRef(row.template_name, row.template_version)


def _reader(row: AnyRow) -> ReaderInfo | None:
    return None if row.reader_version is None else ReaderInfo(row.reader_version, row.reader_sha256)


def _page_reading(row: AnyRow, fields: tuple[FieldReading, ...]) -> PageReading:
    return PageReading(
        index=row.page_index,
        width=row.width,
        height=row.height,
        skew_degrees=row.skew_degrees,
        registration=registration(row.registration),
        failure=failure(row.failure),
        fields=fields,
        reader=_reader(row),
    )


def _box(row: AnyRow) -> Box:
    return Box(row.x, row.y, row.width, row.height)


def _field_reading(row: AnyRow) -> FieldReading:
    return FieldReading(
        name=row.name,
        type=row.type,
        box=_box(row),
        text=row.text,
        value=row.value,
        confidence=row.confidence,
        accepted=row.accepted,
        review_reasons=tuple(ReviewReason(reason) for reason in row.review_reasons),
        digits=tuple(from_json(DigitReading, digit) for digit in row.digits),
    )


# Readings to rows.


def document_values(new: NewDocument) -> Values:
    """Return the columns of `documents` that come from the caller, the template's apart."""
    return {
        "filename": new.filename,
        "sha256": new.sha256,
        "size_bytes": new.size_bytes,
        "media_type": new.media_type,
        "type_name": new.type_name,
        "target_error": new.target_error,
        "expected_micr": new.expected_micr,
        "priority": new.priority,
        "tags": list(new.tags),
        "callback_url": new.callback_url,
    }


def page_values(reading: PageReading, *, preview_sha256: str | None) -> Values:
    """Return the columns of `pages` that hold a page's reading, its fields apart."""
    return {
        "width": reading.width,
        "height": reading.height,
        "skew_degrees": reading.skew_degrees,
        "registration": None if reading.registration is None else to_json(reading.registration),
        "failure": failure_values(reading.failure),
        "preview_sha256": preview_sha256,
        "status": Status.DONE if reading.failure is None else Status.FAILED,
        **reader_values(reading.reader),
    }


def field_rows(document_id: str, pages: Sequence[PageReading]) -> list[Values]:
    """Return a row of `fields` for every field of `pages`."""
    return [
        {"document_id": document_id, "page_index": page.index, "position": position, **_field_values(field)}
        for page in pages
        for position, field in enumerate(page.fields)
    ]


def chosen_values(registrations: Sequence[Registration | None]) -> Values:
    """Return the columns of `documents` that name the template that was chosen for the document as a whole.

    That there is only where one template was chosen for every page: otherwise each page names its own, the document
    keeps `auto`, and no columns are returned.

    Args:
        registrations: one a page; None where the page failed, or was laid over no template.
    """
    chosen = {None if each is None else each.template for each in registrations}
    template = chosen.pop() if len(chosen) == 1 else None
    if template is None:
        return {}
    return {"template_name": template.name, "template_version": template.version}


def registration(data: Values | None) -> Registration | None:
    """Return a stored registration."""
    return None if data is None else from_json(Registration, data)


def reader_values(reader: ReaderInfo | None) -> Values:
    """Return the columns that say which networks read."""
    return {
        "reader_version": None if reader is None else reader.version,
        "reader_sha256": None if reader is None else reader.sha256,
    }


def correction_values(new: NewCorrection) -> Values:
    """Return the columns of `corrections` that say what a person said."""
    return {
        "page_index": new.page_index,
        "field": new.field,
        "truth": new.truth,
        "text": new.text,
        "value": new.value,
        "note": new.note,
    }


def failure_values(failed: Failure | None) -> Values | None:
    """Return a failure as it is stored."""
    return None if failed is None else to_json(failed)


def steps(stored: Iterable[Values]) -> tuple[ProcessingStep, ...]:
    """Return the record of what was done."""
    return tuple(from_json(ProcessingStep, step) for step in stored)


def step_values(steps: Iterable[ProcessingStep]) -> list[Values]:
    """Return the record of what was done as it is stored."""
    return [to_json(step) for step in steps]


def _field_values(field: FieldReading) -> Values:
    return {
        "name": field.name,
        "type": field.type,
        "x": field.box.x,
        "y": field.box.y,
        "width": field.box.width,
        "height": field.box.height,
        "text": field.text,
        "value": field.value,
        "confidence": field.confidence,
        "accepted": field.accepted,
        "review_reasons": [reason.value for reason in field.review_reasons],
        "digits": [to_json(digit) for digit in field.digits],
    }
