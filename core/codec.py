"""Readings to JSON-ready dictionaries and back: one function each way."""

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def to_json(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any outer dataclass of core.types
    """Return an outer dataclass of `core.types` as a dictionary that `json.dumps` accepts."""
    result: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return result


def from_json(kind: type[T], data: object) -> T:
    """Return `data` as a `kind` of `core.types`.

    Raises:
        pydantic.ValidationError: `data` is not of that shape.
    """
    result: T = _adapter(kind).validate_python(data)
    return result


def _adapter(kind: type) -> TypeAdapter[Any]:
    # Building one costs a thousand times more than using it.
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = TypeAdapter(kind)
    return adapter
