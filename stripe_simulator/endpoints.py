"""The API's endpoints: method, path and parameter types come from the services of the `stripe` package.

A handler names the client call that it answers, such as `customers.create`. The rest is read from that
call: which request it sends, and which `TypedDict` describes its parameters.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import stripe

from stripe_simulator.errors import InvalidParameterError, StripeError
from stripe_simulator.limits import check_values
from stripe_simulator.params import check_parameters, parameter_types
from stripe_simulator.simulator import Simulator

type_name = re.compile(r"\w+Params")
Handler = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Endpoint:
    call: str
    method: str
    path: re.Pattern[str]
    params: type
    accepted: frozenset[str]
    handler: Handler

    def check(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Raises InvalidParameterError as Stripe would, and for what isn't simulated."""
        params = check_parameters(raw, self.params)
        if self.method == "GET":
            _refuse_empty(params)
        check_values(params)
        self._refuse_unsimulated(params, "", "")
        return params

    def _refuse_unsimulated(self, value: Any, name: str, param: str) -> None:
        """Refuse what Stripe knows and the handler doesn't act upon, inside of hashes too."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._refuse_unsimulated(item, name, f"{param}[{index}]")
        if not isinstance(value, dict):
            return
        for key, item in value.items():
            inner = f"{name}.{key}" if name else key
            place = f"{param}[{key}]" if param else key
            if inner in self.accepted:
                continue
            if not any(accepted.startswith(f"{inner}.") for accepted in self.accepted):
                raise InvalidParameterError(
                    f"The Stripe simulator does not support the parameter '{place}' of {self.call}.",
                    code="parameter_not_simulated",
                    param=place,
                )
            self._refuse_unsimulated(item, inner, place)

    def run(self, simulator: Simulator, params: dict[str, Any], ids: tuple[str, ...]) -> dict[str, Any]:
        return self.handler(simulator, params, *ids)


ENDPOINTS: list[Endpoint] = []


def endpoint(call: str, accepted: str = "") -> Callable[[Handler], Handler]:
    """Register the handler of a client call, with the names of the parameters that it acts upon.

    `*` accepts all that Stripe knows; `items.price` accepts of `items` only what is named so.
    Paging and `expand` are always accepted where Stripe knows them.
    """

    def register(handler: Handler) -> Handler:
        method, path, params = _read_service(call)
        names = parameter_types(params)
        wanted = set(names) if accepted == "*" else set(accepted.split())
        unknown = {name.partition(".")[0] for name in wanted} - set(names)
        if unknown:
            raise LookupError(f"{call} knows no parameter {', '.join(sorted(unknown))}")
        pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", path))
        wanted |= {"expand", "limit", "starting_after", "ending_before"}
        ENDPOINTS.append(Endpoint(call, method.upper(), pattern, params, frozenset(wanted), handler))
        ENDPOINTS.sort(key=lambda endpoint: endpoint.path.groups)  # a fixed path goes before one with an id
        return handler

    return register


def find_endpoint(method: str, path: str) -> tuple[Endpoint, tuple[str, ...]]:
    """Return the endpoint and the ids in the path. Raises StripeError 404 for one that isn't simulated."""
    for candidate in ENDPOINTS:
        match = candidate.path.fullmatch(path) if candidate.method == method else None
        if match:
            return candidate, match.groups()
    raise StripeError(
        f"Unrecognized request URL ({method}: {path}). The Stripe simulator does not answer it.", status=404
    )


def _read_service(call: str) -> tuple[str, str, type]:
    *path, verb = call.split(".")
    service: Any = stripe.StripeClient("sk_test_endpoints").v1
    for name in path:
        service = getattr(service, name)
    function = inspect.getattr_static(type(service), verb)
    constants = [value for value in function.__code__.co_consts if isinstance(value, str)]
    url = next(value for value in constants if value.startswith("/v1/"))
    method = next(value for value in constants if value in ("get", "post", "delete"))
    (params,) = type_name.findall(str(function.__annotations__["params"]))
    package = type(service).__module__.replace("stripe", "stripe.params", 1).rpartition(".")[0]
    return method, url, getattr(import_module(package), params)


def _refuse_empty(params: dict[str, Any]) -> None:
    for name, value in params.items():
        if value == "":
            raise InvalidParameterError(
                f"You passed an empty string for '{name}'. You should remove '{name}' from your request or "
                "supply a non-empty value.",
                code="parameter_invalid_empty",
                param=name,
            )
