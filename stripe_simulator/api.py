"""The way of an API request: key, version, route, parameters, idempotency, work, answer."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stripe_simulator.endpoints import Endpoint, find_endpoint
from stripe_simulator.errors import InvalidParameterError, PaymentRefusedError, StripeError
from stripe_simulator.faults import Fault, GivenUpError
from stripe_simulator.frozen_time import named_in, time_of
from stripe_simulator.messages import Request, Response, json_response
from stripe_simulator.params import decode
from stripe_simulator.permissions import require_permission
from stripe_simulator.resources import (
    balance_transactions,
    catalog,
    checkout_sessions,
    clocks,
    coupons,
    credit_notes,
    customers,
    events,
    invoice_items,
    invoices,
    meters,
    payment_methods,
    payments,
    previews,
    refunds,
    setup_intents,
    sources,
    subscription_schedules,
    subscriptions,
    tax_ids,
    tax_rates,
    webhook_endpoints,
)
from stripe_simulator.simulator import API_VERSION, Simulator, new_id

RESOURCES = (
    balance_transactions,
    catalog,
    checkout_sessions,
    clocks,
    coupons,
    credit_notes,
    customers,
    events,
    invoice_items,
    invoices,
    meters,
    payment_methods,
    payments,
    previews,
    refunds,
    setup_intents,
    sources,
    subscription_schedules,
    subscriptions,
    tax_ids,
    tax_rates,
    webhook_endpoints,
)
"""Importing these registers their endpoints."""


class Call:
    """One request, on its way."""

    def __init__(self, simulator: Simulator, request: Request) -> None:
        self.simulator = simulator
        self.request = request
        self.id = new_id("req", 14)
        self.key = request.headers.get("idempotency-key") if request.method == "POST" else None
        self.params: dict[str, Any] = {}
        self.faults = simulator.faults.take(request.method, request.path)

    def answer(self) -> Response:
        try:
            self.simulator.rate.take()
            _authenticate(self.simulator, self.request)
            self.params = decode(self.request.query, self.request.body)
            endpoint, ids = find_endpoint(self.request.method, self.request.path)
            require_permission(self.simulator, endpoint)
            params = endpoint.check(self.params)
            with self._replayed() as replayed:
                response = self._work(endpoint, params, ids, replayed)
        except StripeError as error:
            response = self._error(error)
        except GivenUpError:
            return Response(503, b"", dropped=True)
        response.headers |= {"Request-Id": self.id, "Stripe-Version": API_VERSION}
        if self.key:
            response.headers["Idempotency-Key"] = self.key
        if "drop" in self.faults:
            response.dropped = True
        self._log(response)
        try:
            self._delay("after")
        except GivenUpError:
            response.dropped = True
        return response

    @contextmanager
    def _replayed(self) -> Iterator[Response | None]:
        if self.key is None:
            yield None
            return
        keys = self.simulator.idempotency
        remembered = keys.begin(self.key, self.request.path, self.params)
        try:
            yield remembered
        finally:
            if remembered is None:
                keys.end(self.key)

    def _work(
        self, endpoint: Endpoint, params: dict[str, Any], ids: tuple[str, ...], replayed: Response | None
    ) -> Response:
        self._delay("before")
        fail, drop = self.faults.get("fail"), self.faults.get("drop")
        if fail and fail.when == "before":
            return self._fail(fail, remember=fail.is_remembered and not replayed)
        if drop and drop.when == "before":
            return json_response({})
        return replayed or self._execute(endpoint, params, ids)

    def _execute(self, endpoint: Endpoint, params: dict[str, Any], ids: tuple[str, ...]) -> Response:
        store = self.simulator.store
        fail = self.faults.get("fail")
        try:
            with store.transaction():
                self.simulator.request = {"id": self.id, "idempotency_key": self.key}
                try:
                    with time_of(self.simulator, [*ids, *named_in(params)]):
                        body = endpoint.run(self.simulator, dict(params), ids)
                    answer = self.simulator.presenter.present(body)
                    self.simulator.presenter.expand(answer, params.get("expand", []))
                    response = json_response(answer)
                except PaymentRefusedError as error:
                    response = self._error(error)
                finally:
                    self.simulator.request = {"id": None, "idempotency_key": None}
                if fail:
                    return self._fail(fail, remember=fail.is_remembered)
                self._remember(response)
                return response
        except InvalidParameterError:
            raise
        except StripeError as error:
            response = self._error(error)
        except Exception:  # noqa: BLE001 # a fault of the simulator's own is answered as Stripe answers one
            traceback.print_exc()
            response = self._error(
                StripeError("The simulator failed; its output says why.", status=500, kind="api_error")
            )
        self._remember(response)
        return response

    def _fail(self, fault: Fault, *, remember: bool) -> Response:
        error = StripeError("An unknown error occurred", status=fault.status, kind="api_error")
        response = json_response(fault.body, fault.status) if fault.body else self._error(error)
        if remember:
            self._remember(response)
        return response

    def _remember(self, response: Response) -> None:
        if self.key:
            with self.simulator.store.transaction():
                self.simulator.idempotency.remember(
                    self.key, self.request.path, self.params, self.id, response
                )

    def _delay(self, when: str) -> None:
        fault = self.faults.get("delay")
        if fault and fault.when == when:
            self.simulator.faults.wait(fault.seconds)

    def _error(self, error: StripeError) -> Response:
        log = {"request_log_url": f"{self.simulator.url}/_control/requests?id={self.id}"}
        return json_response({"error": {**error.error, **log}}, error.status)

    def _log(self, response: Response) -> None:
        entry = {
            "id": self.id,
            "method": self.request.method,
            "path": self.request.path,
            "params": self.params,
            "idempotency_key": self.key,
            "status": response.status,
            "replayed": "Idempotent-Replayed" in response.headers,
            "dropped": response.dropped,
        }
        self.simulator.store.log_request(entry)


def _authenticate(simulator: Simulator, request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key:
        raise StripeError(
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if key != simulator.api_key:
        hidden = f"{key[:8]}{'*' * max(len(key) - 12, 0)}{key[-4:]}"
        raise StripeError(f"Invalid API Key provided: {hidden}", status=401)
    version = request.headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        raise StripeError(
            f"Invalid Stripe API version: {version}. The Stripe simulator speaks {API_VERSION} only."
        )
