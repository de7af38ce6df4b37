"""Limits on a request's body, in force before a byte of it is parsed.

A larger `Content-Length` is answered 413 without reading the body; a body without one is cut off where the limit ends.
Werkzeug spools each file to disk beyond half a megabyte; smaller files and the other fields are held in memory, and a
form without files is read as a whole, so that one may only be as large as fields need.
"""

from collections.abc import Callable
from functools import wraps
from typing import IO, TYPE_CHECKING, Any, TypeVar

from apiflask import HTTPError
from flask import Request, g, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from api.problems import BODY_LOCATION
from api.schemas import split_tags
from api.services import services
from core.errors import InvalidRequest, UnsupportedMediaType

if TYPE_CHECKING:
    from werkzeug.formparser import TStreamFactory, t_parse_result

F = TypeVar("F", bound=Callable[..., Any])

FORM_BYTES = 64 * 1024
"""Room for the form's other fields and the multipart boundaries."""

FORM_PARTS = 50

FIELDS_BYTES = 1024 * 1024
"""What all fields of a multipart form may take together."""

PART_BYTES = 1024
"""Room for the headers and boundary of each file."""

ONE_FILE, SEVERAL_FILES = "file", "files"
"""What the file is called in a form that takes one, and in a form that takes many."""

REPEATED = "tags"
"""The only text that may be given several times."""

URLENCODED = "application/x-www-form-urlencoded"
FORM_TYPES = frozenset({"multipart/form-data", URLENCODED})


class _Body:
    """A multipart body as the parser reads it, which counts what has gone into no file: that is held in memory."""

    def __init__(self, stream: IO[bytes], open_file: "TStreamFactory", most_bytes: int) -> None:
        self._stream = stream
        self._open_file = open_file
        self._left = most_bytes
        self._files: list[IO[bytes]] = []

    def open_file(self, *args: Any, **options: Any) -> IO[bytes]:  # noqa: ANN401 - as Werkzeug calls it
        self._left += self._written() + PART_BYTES
        self._files.append(self._open_file(*args, **options))
        return self._files[-1]

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left + self._written() < 0:
            raise RequestEntityTooLarge
        return data

    def close_files(self) -> None:
        for file in self._files:
            file.close()

    def _written(self) -> int:
        """Return the size of the file that is being written, whose bytes are not counted yet."""
        if not self._files:
            return 0
        file = self._files[-1]
        place = file.tell()
        size = file.seek(0, 2)
        file.seek(place)
        return size


class _FormParser(FormDataParser):
    """Limits what a form's fields take together; Werkzeug limits each by itself only."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> "t_parse_result":
        if mimetype != "multipart/form-data":
            return super().parse(stream, mimetype, content_length, options)
        body = _Body(stream, self.stream_factory, FIELDS_BYTES)
        self.stream_factory = body.open_file
        try:
            _, form, files = super().parse(body, mimetype, content_length, options)  # type: ignore[arg-type]  # only read
        except RequestEntityTooLarge:
            body.close_files()
            raise
        return stream, form, files


class FormRequest(Request):
    """A request whose form is held to `FIELDS_BYTES`."""

    form_data_parser_class = _FormParser


def limit_body(*, files: int | None = None) -> Callable[[F], F]:
    """Limit the body of a view to `files` files of the largest size, or to the largest request and batch.

    Raises:
        UnsupportedMediaType: the body is no form.
        RequestEntityTooLarge: it is larger.
        HTTPError: it holds what the view would pass over, see `_check_parts`.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def limited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the view takes and gives
            settings = services().settings
            if files is not None:
                request.max_content_length = files * settings.max_file_bytes + FORM_BYTES
            request.max_form_parts = FORM_PARTS + (files or settings.max_batch_files)
            if request.mimetype == URLENCODED:  # takes many times its length once it is parsed
                request.max_content_length = FORM_BYTES
            if request.mimetype not in FORM_TYPES:
                raise UnsupportedMediaType("Send the file as multipart/form-data.")
            _check_parts(ONE_FILE if files == 1 else SEVERAL_FILES)
            return view(*args, **kwargs)

        return limited  # type: ignore[return-value]  # same parameters, same answer

    return decorate


def _check_parts(file_name: str) -> None:
    """Return when the form's models see all of the form.

    Raises:
        HTTPError: a file under another name than `file_name`, or a name that comes twice and may not: the models look
            at what they know and at the first of each name, so that the rest would be lost without a word.
    """
    names = dict.fromkeys([*request.form, *request.files])
    faults = {name: [fault] for name in names if (fault := _fault(name, file_name))}
    if faults:
        raise HTTPError(422, detail={"form_and_files": faults})


def _fault(name: str, file_name: str) -> str | None:
    texts, files = request.form.getlist(name), chosen_files(name)
    if files and name != file_name:
        return f"a file is taken as {file_name!r} only; other parameters are sent as text"
    doubled = len(texts) > 1 and name != REPEATED
    if doubled or (texts and files) or (name == ONE_FILE and len(request.files.getlist(name)) > 1):
        return "may be given once only"
    return None


def limit_json(most_bytes: int) -> Callable[[F], F]:
    """Limit the body of a view to so many bytes of JSON.

    Raises:
        InvalidRequest: lists or objects stand inside one another deeper than anything that is meant.
        BadRequest: it is no JSON.
        RequestEntityTooLarge: it is larger.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def limited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the view takes and gives
            request.max_content_length = most_bytes
            setattr(g, BODY_LOCATION, "json")
            try:
                request.get_json(force=True)
            except RecursionError as error:
                raise InvalidRequest("The JSON is nested too deeply.") from error
            return view(*args, **kwargs)

        return limited  # type: ignore[return-value]  # same parameters, same answer

    return decorate


def repeated_tags() -> tuple[str, ...]:
    """Return the form's tags, whether they came in one field, separated by commas, or in several.

    Raises:
        HTTPError: together they are too many, or one is too long; the form's model has seen the first field only.
    """
    try:
        return split_tags(",".join(request.form.getlist("tags")))
    except ValueError as error:
        raise HTTPError(422, detail={"form_and_files": {"tags": [str(error)]}}) from error


def chosen_files(name: str) -> list[FileStorage]:
    """Return the form's files of that name; an HTML form in which nobody chose one sends one without name and bytes."""
    return [file for file in request.files.getlist(name) if file.filename or _has_bytes(file)]


def _has_bytes(file: FileStorage) -> bool:
    found = file.stream.read(1)
    file.stream.seek(0)
    return bool(found)
