"""Checks answers against the resource annotations of the `stripe` package."""

import ast
import sys
import types
import typing
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import stripe
from stripe import ListObject, StripeObject
from stripe._object_classes import OBJECT_CLASSES
from stripe._stripe_object import UntypedStripeObject

LIST_FIELDS = {"object", "data", "has_more", "url"}


def problems_of(answer: dict[str, Any]) -> list[str]:
    """What a resource, an event or a list of them has that its class doesn't allow, or lacks."""
    if answer["object"] == "list":
        return [problem for item in answer["data"] for problem in problems_of(item)]
    module, name = OBJECT_CLASSES[answer["object"]]
    found = _check(answer, getattr(import_module(module), name), answer["object"])
    if answer["object"] == "event":
        found += problems_of(answer["data"]["object"])
    return found


def _check(value: Any, hint: Any, path: str) -> list[str]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, typing.TypeVar):
        return []
    if origin in (typing.Union, types.UnionType):
        return _check_union(value, arguments, path)
    if origin is typing.Literal:
        return [] if value in arguments else [f"{path}: {value!r} is none of {arguments}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: {value!r} is no list"]
        return [
            problem for i, item in enumerate(value) for problem in _check(item, arguments[0], f"{path}[{i}]")
        ]
    if origin is ListObject:
        if not isinstance(value, dict) or set(value) != LIST_FIELDS:
            return [f"{path}: is no list object"]
        return _check(value["data"], list[arguments[0]], f"{path}.data")  # type: ignore[valid-type] # built at run time
    if origin is UntypedStripeObject or hint is UntypedStripeObject:
        return [] if isinstance(value, dict) else [f"{path}: {value!r} is no hash"]
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return _check_object(value, hint, path)
    return _check_scalar(value, hint, path)


def _check_object(value: Any, kind: type, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no {kind.__name__}"]
    fields = _fields(kind)
    if value.get("deleted"):
        return [] if set(value) == {"id", "object", "deleted"} else [f"{path}: a deleted object has more"]
    found = [f"{path}.{name}: unknown to {kind.__qualname__}" for name in value if name not in fields]
    found += [
        f"{path}.{name}: missing"
        for name, hint in fields.items()
        if name not in value and types.NoneType not in typing.get_args(hint)
    ]
    for name in fields.keys() & value.keys():
        found += _check(value[name], fields[name], f"{path}.{name}")
    return found


def _check_union(value: Any, choices: tuple[Any, ...], path: str) -> list[str]:
    if value is None:
        return [] if types.NoneType in choices else [f"{path}: null"]
    named = any(typing.get_origin(choice) is typing.Literal for choice in choices)
    fitting = [choice for choice in choices if _is_hash(choice) == isinstance(value, dict)]
    tried = [
        _check(value, choice, path)
        for choice in fitting
        if choice is not types.NoneType and not (named and choice is str)
    ]
    return min(tried, key=len) if tried else [f"{path}: {value!r} is none of {choices}"]


def _is_hash(hint: Any) -> bool:
    kind = typing.get_origin(hint) or hint
    return isinstance(kind, type) and issubclass(kind, StripeObject)


def _check_scalar(value: Any, hint: type, path: str) -> list[str]:
    if hint is Decimal:
        try:
            Decimal(value if isinstance(value, str) else "not a text")
        except InvalidOperation:
            return [f"{path}: {value!r} is no decimal"]
        return []
    if hint is float and isinstance(value, int | float):
        return []
    return [] if type(value) is hint else [f"{path}: {value!r} is no {hint.__name__}"]


@cache
def _fields(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, localns=_names(kind.__module__))
    return {
        name: hints[name]
        for name in kind.__annotations__
        if not name.startswith("_") and typing.get_origin(hints[name]) is not typing.ClassVar
    }


@cache
def _names(module: str) -> dict[str, Any]:
    """What the module imports for type checkers only."""
    tree = ast.parse(Path(str(sys.modules[module].__file__)).read_text())
    imports = [
        node
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    ]
    return {
        alias.asname or alias.name: getattr(import_module(str(node.module)), alias.name)
        for node in imports
        for alias in node.names
    }


def answer_of(resource: stripe.StripeObject) -> dict[str, Any]:
    """What the client returned, as it came over the wire."""
    assert resource.last_response is not None
    answer: Any = resource.last_response.data
    assert isinstance(answer, dict)
    return answer


def problems_of_resource(resource: stripe.StripeObject) -> list[str]:
    return problems_of(answer_of(resource))
