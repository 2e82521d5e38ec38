"""Requests' parameters: decoded from the form, then checked against the types of the `stripe` package.

The `TypedDict`s in `stripe.params` are generated from Stripe's own API description, so a parameter that
they don't know is one that Stripe refuses. An enumeration is written there as `Literal[...] | str`, to let
newer values through; the API version that the simulator speaks knows only the listed ones.
"""

import types
import typing
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import typing_extensions
from stripe import RequestOptions, StripeContext

from stripe_simulator.errors import InvalidParameterError

_NAMES = {**vars(typing), "StripeContext": StripeContext}
_WRAPPERS = (typing.NotRequired, typing.Required, typing_extensions.NotRequired, typing_extensions.Required)


def decode(*forms: str) -> dict[str, Any]:
    """Turn `a[b][0]=c` into `{"a": {"b": {"0": "c"}}}`; lists stay dicts by position until checked."""
    decoded: dict[str, Any] = {}
    for form in forms:
        for key, value in parse_qsl(form, keep_blank_values=True):
            *parents, last = key.replace("]", "").split("[")
            place = decoded
            for parent in parents:
                inner = place.setdefault(parent or str(len(place)), {})
                if not isinstance(inner, dict):
                    raise InvalidParameterError("Invalid object", param=key)
                place = inner
            place[last or str(len(place))] = value
    return decoded


@cache
def parameter_types(params: type) -> dict[str, Any]:
    """The parameters that a `TypedDict` of `stripe.params` declares, without the client's own options."""
    hints = typing.get_type_hints(params, localns=_NAMES, include_extras=True)
    return {name: hint for name, hint in hints.items() if name not in RequestOptions.__annotations__}


def check_parameters(raw: dict[str, Any], params: type) -> dict[str, Any]:
    """Return the parameters with Python's types. Raises InvalidParameterError as Stripe words it."""
    return _check_object(raw, parameter_types(params), params.__required_keys__, "")  # type: ignore[attr-defined] # a TypedDict


def one_of(values: Iterable[Any]) -> str:
    """Write the choices as Stripe's messages do: `a, b, or c`."""
    *first, last = map(str, values)
    if len(first) > 1:
        return f"{', '.join(first)}, or {last}"
    return " or ".join([*first, last])


def _check_object(
    value: dict[str, Any], hints: dict[str, Any], required: frozenset[str], name: str
) -> dict[str, Any]:
    def path(key: str) -> str:
        return f"{name}[{key}]" if name else key

    unknown = [path(key) for key in value if key not in hints]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise InvalidParameterError(
            f"Received unknown parameter{plural}: {', '.join(unknown)}",
            code="parameter_unknown",
            param=unknown[0],
        )
    for key in hints:
        if key in required and key not in value:
            raise InvalidParameterError(
                f"Missing required param: {path(key)}.", code="parameter_missing", param=path(key)
            )
    return {key: _check(item, hints[key], path(key)) for key, item in value.items()}


def _check(value: Any, hint: Any, name: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in _WRAPPERS:
        return _check(value, arguments[0], name)
    if origin in (typing.Union, types.UnionType):
        return _check_union(value, arguments, name)
    if origin is typing.Literal:
        return _check_literal(value, arguments, name)
    if origin is list:
        return [_check(item, arguments[0], f"{name}[{i}]") for i, item in enumerate(_items(value, name))]
    if origin is dict:
        if not isinstance(value, dict):
            raise InvalidParameterError("Invalid object", param=name)
        return {key: _check(item, arguments[1], f"{name}[{key}]") for key, item in value.items()}
    if typing_extensions.is_typeddict(hint):
        if not isinstance(value, dict):
            raise InvalidParameterError("Invalid object", param=name)
        return _check_object(value, parameter_types(hint), hint.__required_keys__, name)
    return _check_scalar(value, hint, name)


def _items(value: Any, name: str) -> list[Any]:
    if not isinstance(value, dict) or not all(key.isdigit() for key in value):
        raise InvalidParameterError("Invalid array", param=name)
    return [value[key] for key in sorted(value, key=int)]


def _check_union(value: Any, choices: tuple[Any, ...], name: str) -> Any:
    literals = [
        item
        for choice in choices
        if typing.get_origin(choice) is typing.Literal
        for item in typing.get_args(choice)
    ]
    if value in literals:
        return value
    rest = [choice for choice in choices if typing.get_origin(choice) is not typing.Literal]
    if any(literals):
        rest = [choice for choice in rest if choice is not str]
    rest = [choice for choice in rest if _is_structured(choice) == isinstance(value, dict)]
    if not rest:
        return _check_literal(value, tuple(literals), name)
    for choice in rest[:-1]:
        try:
            return _check(value, choice, name)
        except InvalidParameterError:
            continue
    return _check(value, rest[-1], name)


def _is_structured(hint: Any) -> bool:
    return typing.get_origin(hint) in (list, dict) or typing_extensions.is_typeddict(hint)


def _check_literal(value: Any, literals: tuple[Any, ...], name: str) -> Any:
    if value in literals:
        return value
    named = [literal for literal in literals if literal != ""]
    if not named or isinstance(value, dict):
        raise InvalidParameterError(
            "Invalid object" if not isinstance(value, dict) else "Invalid string", param=name
        )
    raise InvalidParameterError(f"Invalid {name}: must be one of {one_of(named)}", param=name)


def _check_scalar(value: Any, hint: Any, name: str) -> Any:
    if isinstance(value, dict):
        raise InvalidParameterError("Invalid string", param=name)
    if hint is bool:
        if value not in ("true", "false"):
            raise InvalidParameterError(f"Invalid boolean: {value}", param=name)
        return value == "true"
    if hint is int:
        try:
            return int(value)
        except ValueError:
            raise InvalidParameterError(
                f"Invalid integer: {value}", code="parameter_invalid_integer", param=name
            ) from None
    if hint in (float, Decimal):
        try:
            number = Decimal(value)
            if not number.is_finite():
                raise ValueError
            return float(value) if hint is float else str(number)
        except (ValueError, InvalidOperation):
            raise InvalidParameterError(f"Invalid decimal: {value}", param=name) from None
    return value
