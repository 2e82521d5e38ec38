"""The control port, `/_control/…`: how tests and the demo move the clock and order faults.

`stripe_simulator.control.Control` is its client and says what each call does.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from stripe_simulator.discounts import make_discount
from stripe_simulator.errors import StripeError
from stripe_simulator.faults import Fault
from stripe_simulator.messages import Request, Response, json_response
from stripe_simulator.methods import is_debit
from stripe_simulator.outcomes import CARD_REFUSALS, DEBIT_REFUSALS
from stripe_simulator.permissions import all_permissions
from stripe_simulator.schedule import move_clock
from stripe_simulator.simulator import API_VERSION, Simulator

Json = dict[str, Any]


def answer(simulator: Simulator, request: Request) -> Response:
    name = request.path.removeprefix("/_control/")
    handler = HANDLERS.get((request.method, name))
    if handler is None:
        return json_response({"error": f"No control {request.method} {name}."}, 404)
    if request.method == "POST" and request.headers.get("content-type") != "application/json":
        # A page of another site could send any other type from a browser on this machine.
        return json_response({"error": "Send the Content-Type application/json."}, 415)
    query = {key: values[-1] for key, values in parse_qs(request.query).items()}
    try:
        given = {**query, **(json.loads(request.body) if request.body else {})}
        return json_response(handler(simulator, given))
    except (TypeError, ValueError, KeyError, StripeError) as error:
        return json_response({"error": f"{type(error).__name__}: {error}"}, 400)


def _state(simulator: Simulator, _given: Json) -> Json:
    return {
        "api_version": API_VERSION,
        "url": simulator.url,
        "clock": {"now": simulator.clock.now(), "offset": simulator.clock.offset},
        "faults": simulator.faults.as_json(),
        "webhooks": simulator.webhooks.as_json(),
    }


def _move_clock(simulator: Simulator, given: Json) -> Json:
    to = given["to"] if "to" in given else simulator.clock.now() + given["by"]
    steps = move_clock(simulator, int(to))
    return {"now": simulator.clock.now(), "steps": steps}


def _discount_customer(simulator: Simulator, given: Json) -> Json:
    with simulator.store.transaction():
        customer = simulator.find("customer", given["customer"])
        coupon = simulator.find("coupon", given["coupon"])
        discount = make_discount(simulator, coupon, customer=customer["id"])
        simulator.save({**customer, "discount": discount}, "customer.updated")
        simulator.emit("customer.discount.created", discount)
    return discount


def _add_fault(simulator: Simulator, given: Json) -> Json:
    fault = Fault(**given)
    if fault.kind not in ("delay", "fail", "drop") or fault.when not in ("before", "after"):
        raise ValueError("a fault delays, fails or drops, before or after the work")
    simulator.faults.add(fault)
    return {"faults": simulator.faults.as_json()}


def _clear_faults(simulator: Simulator, _given: Json) -> Json:
    simulator.faults.clear()
    return {}


def _refuse_charges(simulator: Simulator, given: Json) -> Json:
    method = simulator.find("payment_method", given["payment_method"])
    known = DEBIT_REFUSALS if is_debit(method) else CARD_REFUSALS
    reason = given["reason"]
    if reason is not None and reason not in known:
        raise ValueError(f"a reason is one of {', '.join(known)}")
    with simulator.store.transaction():
        simulator.save({**method, "simulated": {**method.get("simulated", {}), "refusal": reason}})
    return {}


def _take_scopes(simulator: Simulator, given: Json) -> Json:
    unknown = set(given["lacking"]) - all_permissions()
    if unknown:
        raise ValueError(f"no permission is named {', '.join(sorted(unknown))}")
    simulator.store.set_setting("lacking_permissions", given["lacking"])
    return {}


def _limit_rate(simulator: Simulator, given: Json) -> Json:
    simulator.rate.per_second = given["per_second"]
    return {}


def _requests(simulator: Simulator, given: Json) -> Json:
    rows = simulator.store.execute("SELECT body FROM requests ORDER BY seq")
    seen = [json.loads(row["body"]) for row in rows]
    wanted = {name: given[name] for name in ("id", "method", "path", "idempotency_key") if name in given}
    return {
        "requests": [entry for entry in seen if all(entry[name] == value for name, value in wanted.items())]
    }


def _forget_requests(simulator: Simulator, _given: Json) -> Json:
    simulator.store.clear("requests")
    return {}


def _set_endpoint(simulator: Simulator, given: Json) -> Json:
    simulator.webhooks.set_endpoint(given["url"], given.get("secret"))
    return simulator.webhooks.as_json()


def _hold(simulator: Simulator, _given: Json) -> Json:
    simulator.webhooks.hold()
    return simulator.webhooks.as_json()


def _release(simulator: Simulator, given: Json) -> Json:
    return {"released": simulator.webhooks.release(given.get("order", "first"), seed=given.get("seed"))}


def _drop_webhooks(simulator: Simulator, given: Json) -> Json:
    simulator.webhooks.drop_next(given["count"])
    return simulator.webhooks.as_json()


def _duplicate_webhooks(simulator: Simulator, given: Json) -> Json:
    simulator.webhooks.duplicate_next(given["count"], given["times"])
    return simulator.webhooks.as_json()


def _retry_webhooks(simulator: Simulator, _given: Json) -> Json:
    simulator.webhooks.retry_now()
    return {}


def _resend_webhook(simulator: Simulator, given: Json) -> Json:
    simulator.webhooks.resend(simulator.find("event", given["event"])["id"])
    return {}


def _wait_for_webhooks(simulator: Simulator, given: Json) -> Json:
    return {"delivered": simulator.webhooks.wait_until_delivered(float(given.get("seconds", 5)))}


def _reset(simulator: Simulator, _given: Json) -> Json:
    """Forget everything but where webhooks go."""
    with simulator.store.transaction():
        kept = {name: simulator.store.setting(name, None) for name in ("webhook_url", "webhook_secret")}
        simulator.store.clear()
        for name, value in kept.items():
            simulator.store.set_setting(name, value)
        simulator.clock.reset()
    simulator.faults.clear()
    simulator.rate.per_second = None
    return {}


HANDLERS: dict[tuple[str, str], Callable[[Simulator, Json], Json]] = {
    ("GET", "state"): _state,
    ("POST", "clock"): _move_clock,
    ("POST", "customers/discount"): _discount_customer,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "refusals"): _refuse_charges,
    ("POST", "scopes"): _take_scopes,
    ("POST", "rate"): _limit_rate,
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _forget_requests,
    ("POST", "webhooks/endpoint"): _set_endpoint,
    ("POST", "webhooks/hold"): _hold,
    ("POST", "webhooks/release"): _release,
    ("POST", "webhooks/drop"): _drop_webhooks,
    ("POST", "webhooks/duplicate"): _duplicate_webhooks,
    ("POST", "webhooks/retry"): _retry_webhooks,
    ("POST", "webhooks/resend"): _resend_webhook,
    ("GET", "webhooks/wait"): _wait_for_webhooks,
    ("POST", "reset"): _reset,
}
