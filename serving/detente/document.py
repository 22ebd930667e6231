"""YAML documents checked against a pydantic model, with errors that name the line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from detente.errors import InputError
from detente.files import read_text

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

_Model = TypeVar("_Model", bound=BaseModel)


class _Loader(_SafeLoader):
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # what looks like a date, say, and is none
            problem = f"{node.value!r}: {error}; put text in quotation marks"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


def parse_yaml(text: str, place: str) -> Any:
    """Return the value of a YAML text.

    Raises:
        InputError: the text is not YAML; the message gives the line.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{place}:{line}: not valid YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise InputError(f"{place}: not valid YAML ({error})") from None


def read_document(
    path: str | Path, model: type[_Model], *, overrides: Sequence[str] = ()
) -> _Model:
    """Read a YAML file into ``model``.

    Args:
        path: the file.
        model: the pydantic model it must fit.
        overrides: ``dotted.key=value`` strings; the value is YAML.

    Raises:
        InputError: unreadable file, bad YAML, a key given twice, an alias of what it stands in, an
            unknown key (the nearest known one is suggested), a wrong value. The
            message gives file, line and key.
    """
    path = Path(path)
    text = read_text(path)
    value = parse_yaml(text, str(path))
    if not isinstance(value, dict):
        raise InputError(f"{path}:1: expected `key: value` lines, found {type(value).__name__}")
    root = yaml.compose(text, Loader=_Loader)
    _check_nodes(root, path)
    overridden = {}
    for override in overrides:
        keys, setting = _parse_override(override)
        _set(value, keys, setting, override)
        overridden[keys] = override
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # What holds a wrong value is itself told to be too short.
        errors = error.errors()
        inner = [
            e for e in errors if not any(_is_within(other["loc"], e["loc"]) for other in errors)
        ]
        first = inner[0]
        location = first["loc"]
        place = _place(path, root, location)
        for keys, override in overridden.items():
            if location[: len(keys)] == keys or keys[: len(location)] == location:
                place = override
        more = f" (and {len(inner) - 1} more)" if len(inner) > 1 else ""
        raise InputError(f"{place}: {_describe(first, model)}{more}") from None


def _is_within(location: tuple[Any, ...], outer: tuple[Any, ...]) -> bool:
    return len(location) > len(outer) and location[: len(outer)] == outer


def _check_nodes(
    node: Any, path: Path, above: tuple[Any, ...] = (), done: set[int] | None = None
) -> None:
    done = set() if done is None else done
    if any(node is other for other in above):
        raise InputError(f"{path}:{node.start_mark.line + 1}: holds an alias of itself")
    if id(node) in done:  # by an alias, and aliases of aliases would be endless
        return
    done.add(id(node))
    above = (*above, node)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise InputError(f"{path}:{line}: key '{key.value}' is given twice")
            seen.add(key.value)
            _check_nodes(child, path, above, done)
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _check_nodes(child, path, above, done)


def _parse_override(override: str) -> tuple[tuple[str, ...], Any]:
    key, equals, setting = override.partition("=")
    keys = tuple(part.strip() for part in key.split("."))
    if not equals or not all(keys):
        raise InputError(f"{override!r}: expected key=value, for example training.epochs=5")
    return keys, parse_yaml(setting, override)


def _set(value: dict[str, Any], keys: tuple[str, ...], setting: Any, override: str) -> None:
    for key in keys[:-1]:
        child = value.setdefault(key, {})
        if not isinstance(child, dict):
            raise InputError(f"{override!r}: '{key}' has no keys below it")
        value = child
    value[keys[-1]] = setting


def _place(path: Path, root: Any, location: tuple[int | str, ...]) -> str:
    node, line = root, 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, child) for key, child in node.value if key.value == str(step)]
            if not pairs:
                break
            key, node = pairs[0]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break  # an override's list is longer than the file's
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return f"{path}:{line}"


def _describe(error: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(step) for step in error["loc"])
    if error["type"] == "extra_forbidden":
        allowed = _keys_at(model, error["loc"][:-1])
        near = difflib.get_close_matches(str(error["loc"][-1]), allowed, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"unknown key '{key}'{hint} Allowed: {', '.join(allowed)}"
    if error["type"] == "missing":
        return f"key '{key}' is missing"
    message = error["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    is_entry = False
    for step in location:
        if isinstance(step, int) or is_entry:
            is_entry = False
            continue
        field = model.model_fields.get(step)
        is_entry = field is not None and get_origin(field.annotation) is dict
        nested = _nested_model(field.annotation) if field else None
        if nested is None:
            return []
        model = nested
    return list(model.model_fields)


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    # Python 3.10 calls tuple[X, ...] a type, and then issubclass raises.
    if (
        get_origin(annotation) is None
        and isinstance(annotation, type)
        and issubclass(annotation, BaseModel)
    ):
        return annotation
    return next(filter(None, map(_nested_model, get_args(annotation))), None)
