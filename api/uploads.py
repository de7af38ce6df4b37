"""Limits on a request's body, in force before a byte of it is parsed.

A larger `Content-Length` is answered 413 without reading the body; a body without one is cut off where the limit ends.
Files are spooled to disk by Werkzeug beyond half a megabyte, so no upload is ever held in memory as a whole.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import request

from api.schemas import split_tags
from api.services import services
from core.errors import InvalidRequest, UnsupportedMediaType

F = TypeVar("F", bound=Callable[..., Any])

FORM_BYTES = 64 * 1024
"""Room for the form's other fields and the multipart boundaries."""

FORM_PARTS = 50

FORM_TYPES = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


def limit_body(*, files: int | None = None) -> Callable[[F], F]:
    """Limit the body of a view to `files` files of the largest size, or to the largest request and batch.

    Raises:
        UnsupportedMediaType: the body is no form.
        RequestEntityTooLarge: it is larger.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def limited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the view takes and gives
            settings = services().settings
            if files is not None:
                request.max_content_length = files * settings.max_file_bytes + FORM_BYTES
            request.max_form_parts = FORM_PARTS + (files or settings.max_batch_files)
            if request.mimetype not in FORM_TYPES:
                raise UnsupportedMediaType("Send the file as multipart/form-data.")
            return view(*args, **kwargs)

        return limited  # type: ignore[return-value]  # same parameters, same answer

    return decorate


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
            try:
                request.get_json(force=True)
            except RecursionError as error:
                raise InvalidRequest("The JSON is nested too deeply.") from error
            return view(*args, **kwargs)

        return limited  # type: ignore[return-value]  # same parameters, same answer

    return decorate


def repeated_tags() -> tuple[str, ...]:
    """Return the form's tags, whether they came in one field, separated by commas, or in several."""
    return split_tags(",".join(request.form.getlist("tags")))
