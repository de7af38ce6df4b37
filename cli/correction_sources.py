"""Where `tallyscan corrections` takes corrections from: a service, or the database in the home folder."""

from collections.abc import Iterator

from cli.client import Client
from cli.replies import CorrectionReply
from core.settings import Settings
from forms.templates import parse_template
from segmentation.decoding import DecodeLimits
from storage.blobs import BlobStore
from storage.records import CorrectionRecord
from storage.store import Store
from worker.desk import form_keeper
from worker.exporting import Corrected
from worker.form_reading import Form, open_form

CHUNK = 500


class DatabaseSource:
    """The database and the scans of an installation."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Read from `store`; scans come from the settings' blob store."""
        self._store = store
        self._blobs = BlobStore.open(settings.resolved_blob_url)
        self._form_of = form_keeper(store, self._blobs, limits=DecodeLimits.from_settings(settings))

    def corrections(self) -> Iterator[Corrected]:
        """Yield those that count, of every owner."""
        last: str | None = None
        while chunk := self._store.corrections.listed(owner=None, limit=CHUNK, after_id=last):
            yield from (_corrected(each, page=each.page_index, by=each.key_name) for each in chunk)
            last = chunk[-1].id

    def original(self, document_id: str) -> bytes:
        """Return the document's bytes."""
        return self._blobs.get(self._store.documents.get(document_id, owner=None).sha256)

    def form(self, document_id: str) -> Form | None:
        """Return the form that the document was read by."""
        template = self._store.documents.get(document_id, owner=None).template
        # While pages have templates of their own, fields are cut where they were read.
        return None if template is None or template.version is None else self._form_of(template)


class ServiceSource:
    """A service over HTTP."""

    def __init__(self, client: Client, settings: Settings) -> None:
        """Ask with `client`."""
        self._client = client
        self._limits = DecodeLimits.from_settings(settings)
        self._forms: dict[tuple[str, int], Form | None] = {}

    def corrections(self) -> Iterator[Corrected]:
        """Yield those that count, of the key's owner."""
        last: str | None = None
        while chunk := self._client.corrections(after=last, limit=CHUNK):
            yield from (_corrected(each, page=each.page, by=each.by.key_name) for each in chunk)
            last = chunk[-1].id

    def original(self, document_id: str) -> bytes:
        """Return the document's bytes."""
        return self._client.original(document_id)

    def form(self, document_id: str) -> Form | None:
        """Return the form that the document was read by; None where it needs a picture that a service keeps."""
        ref = self._client.document(document_id).template
        if ref is None or ref.version is None:
            return None
        place = (ref.name, ref.version)
        if place not in self._forms:
            template = parse_template(self._client.template(ref.name, version=ref.version).template, kept=True)
            needs_picture = template.registration.reference is not None
            self._forms[place] = None if needs_picture else open_form(template, reference=None, limits=self._limits)
        return self._forms[place]


def _corrected(said: CorrectionRecord | CorrectionReply, *, page: int, by: str) -> Corrected:
    """Return a correction for the export; record and reply differ only in how they hold page and corrector."""
    return Corrected(
        id=said.id,
        document_id=said.document_id,
        filename=said.filename,
        page=page,
        field=said.field,
        type=said.type,
        box=said.box,
        truth=said.truth,
        text=said.text or "",
        read=said.old_text,
        confirms=said.confirms,
        by=by,
        at=said.created_at.isoformat(timespec="seconds"),
        reader=said.reader.sha256 if said.reader else "",
    )
