"""Everything that can go wrong, as one tree.

```
TallyscanError
├── InputError                    the file itself; trying again cannot help
│   ├── UnsupportedMediaType      unsupported_media_type
│   ├── UnreadableImage           unreadable_image
│   ├── ImageTooLarge             image_too_large
│   ├── TooManyPages              too_many_pages
│   ├── EncryptedDocument         encrypted_document
│   ├── PayloadTooLarge           payload_too_large
│   ├── WrongForm                 wrong_form
│   ├── PageUnknown               page_unknown
│   └── ArchiveRejected           archive_rejected
├── RequestError                  what the caller asked for
│   ├── InvalidRequest            invalid_request
│   ├── Unauthorized              unauthorized
│   ├── Forbidden                 forbidden
│   ├── NotFound                  not_found
│   ├── MethodNotAllowed          method_not_allowed
│   ├── NotReady                  not_ready
│   ├── InvalidTransition         invalid_transition
│   ├── IdempotencyConflict       idempotency_conflict
│   ├── UnknownTemplate           unknown_template
│   ├── InvalidCorrection         invalid_correction
│   ├── RateLimited               rate_limited      (retryable)
│   └── QueueFull                 queue_full        (retryable)
├── Unavailable                   something around us; trying again helps
│   ├── DatabaseUnavailable       database_unavailable
│   ├── BrokerUnavailable         broker_unavailable
│   ├── BlobStoreUnavailable      blob_store_unavailable
│   ├── StorageFull               storage_full
│   ├── BlobMissing               blob_missing
│   ├── BlobAltered               blob_altered
│   ├── ServiceUnreachable        service_unreachable
│   └── OutOfMemory               out_of_memory
├── WorkerError
│   ├── WorkerLost                worker_lost
│   └── TimeLimitExceeded         time_limit_exceeded
├── ArtifactError                 the shipped network
│   ├── ArtifactMissing           artifact_missing
│   ├── ArtifactMismatch          artifact_mismatch
│   └── ModelRefused              model_refused
├── ExtraMissing                  extra_missing
└── InternalError                 internal_error    what nobody foresaw
```

Each class has a stable `code`, says whether a retry may help, and carries a sentence for a person.
Anything outside the tree becomes `InternalError` with a neutral sentence before a caller sees it.
"""

from typing import ClassVar

from core.types import Failure, Phase


class TallyscanError(Exception):
    """Base of the tree. `str(error)` is a sentence that a person can act on."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = "Something went wrong inside Tallyscan."

    def __init__(self, message: str | None = None) -> None:
        """Keep `message`, or the class's own sentence when there is none."""
        super().__init__(message or self.sentence)

    def failure(self, phase: Phase) -> Failure:
        """Return the record of this error that is stored with a document or page."""
        return Failure(code=self.code, phase=phase, message=str(self), retryable=self.retryable)


class InputError(TallyscanError):
    """The file cannot be read as it is; trying again cannot help."""

    code = "unreadable_image"
    sentence = "The file cannot be read as an image."


class UnsupportedMediaType(InputError):
    """The bytes are none of the accepted file types."""

    code = "unsupported_media_type"
    sentence = "The file is not a PNG, JPEG, BMP, WebP, TIFF or PDF."


class UnreadableImage(InputError):
    """The type is known, but its content is damaged or cut short."""


class ImageTooLarge(InputError):
    """A page has more pixels, or expands to more bytes, than the limits allow."""

    code = "image_too_large"
    sentence = "The image has more pixels than this service accepts."


class TooManyPages(InputError):
    """The document has more pages than the limits allow."""

    code = "too_many_pages"
    sentence = "The document has more pages than this service accepts."


class EncryptedDocument(InputError):
    """The PDF asks for a password."""

    code = "encrypted_document"
    sentence = "The document is encrypted; send a copy without a password."


class PayloadTooLarge(InputError):
    """The file or request has more bytes than the limits allow."""

    code = "payload_too_large"
    sentence = "The file is larger than this service accepts."


class WrongForm(InputError):
    """The page's code says that it belongs to another template."""

    code = "wrong_form"
    sentence = "The page belongs to another form than the one that it was to be read as."


class PageUnknown(InputError):
    """The page shows neither its form's marks nor its code, or several sheets' ones: a covering letter, half a page."""

    code = "page_unknown"
    sentence = "The page shows neither the marks nor the code of its form."


class ArchiveRejected(InputError):
    """The ZIP is unsafe: outside paths, nested archives, or too great an expansion."""

    code = "archive_rejected"
    sentence = "The archive was refused."


class RequestError(TallyscanError):
    """The caller asked for something that cannot be had."""

    code = "invalid_request"
    sentence = "The request is not valid."

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        """Keep `message`, and the parameter that was refused, where it is a single one."""
        super().__init__(message)
        self.field = field


class InvalidRequest(RequestError):
    """A parameter is missing or out of range."""


class Unauthorized(RequestError):
    """No valid API key came with the request."""

    code = "unauthorized"
    sentence = "A valid API key is needed: send it as 'Authorization: Bearer KEY'."


class Forbidden(RequestError):
    """The API key lacks the scope that the call needs."""

    code = "forbidden"
    sentence = "This API key lacks the scope that the call needs."


class NotFound(RequestError):
    """There is no such thing, or it is another owner's."""

    code = "not_found"
    sentence = "There is nothing under this address."


class MethodNotAllowed(RequestError):
    """The address exists, the method does not."""

    code = "method_not_allowed"
    sentence = "This address does not answer that method."


class NotReady(RequestError):
    """It will exist once the document has been read."""

    code = "not_ready"
    sentence = "The document has not been read yet."


class InvalidTransition(RequestError):
    """The document's status does not allow the move."""

    code = "invalid_transition"
    sentence = "The document's status does not allow this."


class IdempotencyConflict(RequestError):
    """The idempotency key was used before with another request."""

    code = "idempotency_conflict"
    sentence = "This Idempotency-Key was used before with another request."


class UnknownTemplate(RequestError):
    """No template has that name."""

    code = "unknown_template"
    sentence = "There is no template of that name."


class InvalidCorrection(RequestError):
    """What a person says a field reads is nothing that a field of its type can hold."""

    code = "invalid_correction"
    sentence = "A field of this type cannot hold that."


class RateLimited(RequestError):
    """Too many requests in too short a time."""

    code = "rate_limited"
    retryable = True
    sentence = "Too many requests; wait a moment and try again."


class QueueFull(RequestError):
    """As many documents are waiting as the limits allow."""

    code = "queue_full"
    retryable = True
    sentence = "Too many documents are waiting to be read; try again shortly."


class Unavailable(TallyscanError):
    """Something that Tallyscan depends on is away; trying again helps."""

    code = "unavailable"
    retryable = True
    sentence = "A part of the service is away; try again shortly."


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"
    sentence = "The database does not answer."


class BrokerUnavailable(Unavailable):
    """The queue's broker does not answer."""

    code = "broker_unavailable"
    sentence = "The queue does not answer."


class BlobStoreUnavailable(Unavailable):
    """The blob store does not answer."""

    code = "blob_store_unavailable"
    sentence = "The store of scans does not answer."


class StorageFull(Unavailable):
    """No space is left for blobs or rows."""

    code = "storage_full"
    sentence = "No space is left to store scans."


class BlobMissing(Unavailable):
    """A stored scan is not where it should be."""

    code = "blob_missing"
    sentence = "The stored scan is missing."


class BlobAltered(Unavailable):
    """A stored scan's bytes no longer match its SHA-256."""

    code = "blob_altered"
    sentence = "The stored scan was altered: its checksum does not match."


class ServiceUnreachable(Unavailable):
    """A client found no service at the URL."""

    code = "service_unreachable"
    sentence = "No Tallyscan service answers."


class OutOfMemory(Unavailable):
    """The worker ran out of memory on this page."""

    code = "out_of_memory"
    sentence = "The worker ran out of memory."


class WorkerError(TallyscanError):
    """The process that read the document did not finish."""

    code = "worker_lost"
    sentence = "The worker died while it read the document."


class WorkerLost(WorkerError):
    """The worker died on every attempt."""


class TimeLimitExceeded(WorkerError):
    """Reading took longer than the time limit."""

    code = "time_limit_exceeded"
    sentence = "Reading took longer than the time limit."


class ArtifactError(TallyscanError):
    """The network's files are not as the manifest says."""

    code = "artifact_missing"
    sentence = "The network's files are missing."


class ArtifactMissing(ArtifactError):
    """A file that the manifest names is not there."""


class ArtifactMismatch(ArtifactError):
    """A file's SHA-256 or the normalisation's version differs from the manifest."""

    code = "artifact_mismatch"
    sentence = "The network's files do not match their manifest."


class ModelRefused(ArtifactError):
    """The model's own report says that it reads worse than the one before it, or leaves more to people."""

    code = "model_refused"
    sentence = "The model is no gain over the one it was made from."


class ExtraMissing(TallyscanError):
    """The command needs an optional extra that is not installed."""

    code = "extra_missing"
    sentence = "This command needs the 'train' extra: pip install 'tallyscan[train]'."


class InternalError(TallyscanError):
    """Something that nobody foresaw; the details are in the log, not in the answer."""
