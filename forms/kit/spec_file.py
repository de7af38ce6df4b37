"""A form's specification out of a file of YAML: every fault is named with its line.

Read as YAML 1.2 has it where 1.1 would surprise: `NO` is Norway, and `007` keeps its zeros.
"""

import re
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from core.errors import InvalidRequest
from forms.faults import template_faults
from forms.kit.spec import FormSpec

MAX_BYTES: Final = 256 * 1024

_BOOL: Final = "tag:yaml.org,2002:bool"
_INT: Final = "tag:yaml.org,2002:int"
_PLAIN: Final = {
    _BOOL: re.compile("^(?:true|True|TRUE|false|False|FALSE)$"),
    _INT: re.compile("^[-+]?(?:0|[1-9][0-9]*)$"),
}


class _Loader(yaml.SafeLoader):
    """YAML without the surprises of 1.1; nothing that a file could run."""


_Loader.yaml_implicit_resolvers = {
    start: [(tag, _PLAIN.get(tag, pattern)) for tag, pattern in resolvers]
    for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_spec(path: Path) -> FormSpec:
    """Return the specification in a file.

    Raises:
        InvalidRequest: it cannot be read, or is no specification; the sentence names each fault's line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"Cannot read {path}: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"{path} is too large for a form's specification.")
    return parse_spec(data, source=str(path))


def parse_spec(data: bytes, *, source: str) -> FormSpec:
    """Return the specification that YAML states.

    Args:
        data: the YAML, in UTF-8.
        source: what errors call it.

    Raises:
        InvalidRequest: it is no specification; the sentence names each fault's line.
    """
    try:
        root = yaml.compose(data, Loader=_Loader)
        body = yaml.load(data, Loader=_Loader)  # noqa: S506 - the same
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InvalidRequest(f"{source} is no YAML: {_yaml_fault(error)}.") from error
    if root is None or not isinstance(body, dict):
        raise InvalidRequest(f"{source} does not describe a form: it begins with lines like `form: meter-card`.")
    if twice := _repeated(root):
        raise InvalidRequest(f"{source} is not valid: {twice}.")
    try:
        return FormSpec.model_validate(body)
    except ValidationError as error:
        faults = [f"line {_line(root, place)}: {_named(body, place)}: {text}" for place, text in template_faults(error)]
        raise InvalidRequest(f"{source} is not valid: {'; '.join(faults)}.") from error


def _yaml_fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None)
    if mark is None or problem is None:
        return str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}"


def _repeated(node: yaml.Node) -> str | None:
    """Return what is wrong where a mapping says the same thing twice: YAML would take the last one in silence."""
    waiting, seen = [node], {id(node)}
    while waiting:
        node = waiting.pop()
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            for place, (key, _) in enumerate(node.value):
                if key.value in keys[:place]:
                    return f"line {key.start_mark.line + 1}: {key.value} is stated twice"
            children = [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        # An alias is the same node again.
        waiting += [child for child in children if id(child) not in seen]
        seen.update(map(id, children))
    return None


def _line(root: yaml.Node, place: str) -> int:
    """Return the line of the part that `place` names, such as `fields.0.type`; of the nearest one above it."""
    node, line = root, root.start_mark.line
    for step in place.split("."):
        child = _child(node, step)
        if child is None:
            continue  # pydantic names which of several types it took, too
        node, line = child
    return int(line) + 1


def _child(node: yaml.Node, step: str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line
    if isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
        child = node.value[int(step)]
        return child, child.start_mark.line
    return None


def _named(body: dict[str, Any], place: str) -> str:
    """Return the place with the name of the field that it lies in, where that has one."""
    node: Any = body
    name = None
    for step in place.split("."):
        if isinstance(node, dict):
            node = node.get(step, node)
        elif isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
            name = node.get("name", name) if isinstance(node, dict) else name
    where = "the form" if place == "template" else place
    return f"{where} (field {name})" if isinstance(name, str) else where
