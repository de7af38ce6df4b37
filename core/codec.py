"""Readings to JSON-ready dictionaries and back: one function each way."""

from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def to_json(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any outer dataclass of core.types
    """Return an outer dataclass of `core.types` as a dictionary that `json.dumps` accepts."""
    return asdict(value)


def from_json(kind: type[T], data: object) -> T:
    """Return `data` as a `kind` of `core.types`.

    Raises:
        pydantic.ValidationError: `data` is not of that shape.
    """
    adapter = _ADAPTERS.setdefault(kind, TypeAdapter(kind))
    result: T = adapter.validate_python(data)
    return result
