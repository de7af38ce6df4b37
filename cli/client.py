"""A typed client of the HTTP interface; safe to use from several threads.

Every call either returns what the design describes or raises an error of `core.errors`. Calls are repeated as long as
the client's `Patience` allows; that is safe because each one is a GET or carries an Idempotency-Key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter, ValidationError

from cli.endpoint import Endpoint
from cli.patience import Patience
from cli.problems import error_in, retry_after_in
from cli.replies import (
    Batch,
    CorrectionReply,
    CorrectionsReply,
    Document,
    Limits,
    Reference,
    Session,
    TemplateList,
    TemplateSummary,
    TemplateVersion,
)
from core.errors import InternalError, InvalidRequest, NotFound, ServiceUnreachable, TallyscanError
from core.status import Priority

T = TypeVar("T")

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
"""Silence on an answer: an upload of the largest file over a slow disk stays well below."""

BUSY = 429
AWAY = frozenset({502, 503, 504})

_ERROR_NUMBER = re.compile(r"^\[Errno -?\d+\] ")
"""What the system puts before its sentence."""

UNFIT = "The request cannot be sent: its key or another header holds what HTTP does not allow."
"""Said in place of the library's own words, which repeat the header, and with it the key."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file to send.

    Attributes:
        name: the file name that the service keeps.
        data: its bytes.
        idempotency_key: the same for every try of the same upload.
        batch_id: the batch that it joins.
        reuse_duplicates: take the earlier reading of the same bytes, where there is one.
        target_error: share of accepted fields that may be wrong, or None for the service's own.
        template: that it is read by, or `auto`.
    """

    name: str
    data: bytes
    idempotency_key: str
    batch_id: str | None = None
    type_name: str | None = None
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()
    reuse_duplicates: bool = False
    target_error: float | None = None
    template: str | None = None

    def fields(self) -> dict[str, str | list[str]]:
        """Return the form's fields beside the file."""
        fields: dict[str, str | list[str]] = {"priority": str(self.priority)}
        if self.batch_id:
            fields["batch"] = self.batch_id
        if self.type_name:
            fields["type"] = self.type_name
        if self.template:
            fields["template"] = self.template
        if self.tags:
            fields["tags"] = list(self.tags)
        if self.reuse_duplicates:
            fields["duplicates"] = "reuse"
        if self.target_error is not None:
            fields["target_error"] = repr(self.target_error)
        return fields


class Client:
    """Talks to one service with one key."""

    def __init__(self, endpoint: Endpoint, *, patience: Patience | None = None) -> None:
        self.endpoint = endpoint
        self.patience = patience or Patience()
        headers = {"User-Agent": "tallyscan-cli"}
        if endpoint.key:
            headers["Authorization"] = f"Bearer {endpoint.key}"
        timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        try:
            self._http = httpx2.Client(base_url=endpoint.url, headers=headers, timeout=timeout)
        except httpx2.InvalidURL as error:
            raise InvalidRequest(f"{endpoint.url!r} is not a valid address: {error}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def limits(self) -> Limits:
        """Return what the service accepts."""
        return _parse(Limits, self._send("GET", "/v1/limits"))

    def session(self) -> Session:
        """Return whose key this is, and what it may do."""
        return _parse(Session, self._send("GET", "/v1/session"))

    def ready(self) -> dict[str, Any]:
        """Return the service's own report on its parts, whether they are well or not."""
        response = self._send("GET", "/readyz", accept=(503,))
        return _parse(dict[str, Any], response)

    def create_batch(self, name: str, *, idempotency_key: str) -> Batch:
        """Create an empty batch, or return the one that this key made before."""
        headers = {"Idempotency-Key": idempotency_key}
        return _parse(Batch, self._send("POST", "/v1/batches", data={"name": name}, headers=headers))

    def submit(self, upload: Upload) -> Document:
        """Send a file; the same Idempotency-Key returns the document of the first time."""
        response = self._send(
            "POST",
            "/v1/documents",
            data=upload.fields(),
            files={"file": (upload.name, upload.data, "application/octet-stream")},
            headers={"Idempotency-Key": upload.idempotency_key},
        )
        return _parse(Document, response)

    def document(self, document_id: str, *, wait_seconds: float = 0.0) -> Document:
        """Return a document, after at most `wait_seconds` when it is not finished."""
        params = {"wait": f"{wait_seconds:g}"} if wait_seconds else {}
        return _parse(Document, self._send("GET", _path_of("documents", document_id), params=params))

    def batch(self, batch_id: str) -> Batch:
        """Return how far a batch is."""
        return _parse(Batch, self._send("GET", _path_of("batches", batch_id)))

    def templates(self) -> tuple[TemplateSummary, ...]:
        """Return the latest version of every template."""
        return _parse(TemplateList, self._send("GET", "/v1/templates")).templates

    def template(self, name: str, *, version: int | None = None) -> TemplateVersion:
        """Return one version of a template, or the latest."""
        params = {"version": version} if version is not None else {}
        return _parse(TemplateVersion, self._send("GET", _path_of("templates", name), params=params))

    def put_template(self, name: str, body: dict[str, Any]) -> TemplateVersion:
        """Store a template as the next version; the same again changes nothing, so that it may be repeated."""
        return _parse(TemplateVersion, self._send("PUT", _path_of("templates", name), json=body))

    def add_reference(self, data: bytes) -> str:
        """Store a picture of an empty form and return its SHA-256; the same again changes nothing."""
        files = {"file": ("reference", data, "application/octet-stream")}
        return _parse(Reference, self._send("POST", "/v1/templates/references", files=files)).sha256

    def remove_template(self, name: str) -> None:
        """Offer a template no longer."""
        self._send("DELETE", _path_of("templates", name))

    def corrections(self, *, after: str | None, limit: int) -> tuple[CorrectionReply, ...]:
        """Return the corrections that count after the id `after`, oldest first, at most `limit`."""
        params = {"limit": str(limit), **({"after": after} if after else {})}
        return _parse(CorrectionsReply, self._send("GET", "/v1/corrections", params=params)).corrections

    def original(self, document_id: str) -> bytes:
        """Return the file that was submitted."""
        return self._send("GET", f"{_path_of('documents', document_id)}/original").content

    def batch_documents(self, batch_id: str) -> Iterator[Document]:
        """Yield the documents of a batch with their readings, streamed; a broken stream is taken up again."""
        path, seen = f"{_path_of('batches', batch_id)}/results.jsonl", set[str]()
        attempt = 0
        while True:
            attempt += 1
            self.patience.take_turn()
            try:
                with self._http.stream("GET", path) as response:
                    if response.is_success:
                        self.patience.answered()
                        yield from _unseen(response.iter_lines(), seen)
                        return
                    response.read()
            except httpx2.LocalProtocolError:
                raise InvalidRequest(UNFIT) from None
            except httpx2.TransportError as error:
                self.patience.hold(self._unreachable(error), attempt=attempt)
                continue
            self._hold_or_raise(response, attempt=attempt)

    def _send(self, method: str, path: str, *, accept: tuple[int, ...] = (), **options: Any) -> httpx2.Response:  # noqa: ANN401 - httpx2's own
        attempt = 0
        while True:
            attempt += 1
            self.patience.take_turn()
            try:
                response = self._http.request(method, path, **options)
            except httpx2.LocalProtocolError:
                raise InvalidRequest(UNFIT) from None
            except httpx2.TransportError as error:
                self.patience.hold(self._unreachable(error), attempt=attempt)
                continue
            if response.is_success or response.status_code in accept:
                self.patience.answered()
                return response
            self._hold_or_raise(response, attempt=attempt)

    def _hold_or_raise(self, response: httpx2.Response, *, attempt: int) -> None:
        error = error_in(response)
        busy = response.status_code == BUSY
        if not busy and response.status_code not in AWAY:
            self.patience.answered()
            raise error
        self.patience.hold(error, attempt=attempt, retry_after=retry_after_in(response), busy=busy)

    def _unreachable(self, error: httpx2.TransportError) -> ServiceUnreachable:
        reason = _ERROR_NUMBER.sub("", str(error)) or type(error).__name__
        return ServiceUnreachable(f"No Tallyscan service answers at {self.endpoint.url}: {reason}.{self.endpoint.hint}")


def _path_of(collection: str, name: str) -> str:
    """Return the path of one thing of a collection: whatever it is called, the path leads nowhere else.

    Raises:
        NotFound: nothing can be called so.
    """
    if name in {"", ".", ".."}:  # steps in a path, which no quoting turns into names
        raise NotFound
    return f"/v1/{collection}/{quote(name, safe='', errors='replace')}"


def _parse(kind: type[T], response: httpx2.Response) -> T:
    try:
        return TypeAdapter(kind).validate_json(response.content)
    except ValidationError as error:
        raise _foreign_answer(str(response.url)) from error


def _unseen(lines: Iterator[str], seen: set[str]) -> Iterator[Document]:
    """Yield the documents that are not among `seen`, and add them."""
    for document in map(_document_in, filter(None, lines)):
        if document.id not in seen:
            seen.add(document.id)
            yield document


def _document_in(line: str) -> Document:
    try:
        return Document.model_validate_json(line)
    except ValidationError as error:
        raise _foreign_answer("A line of the results") from error


def _foreign_answer(what: str) -> TallyscanError:
    return InternalError(f"{what} is not what this version understands: are client and service of one version?")
