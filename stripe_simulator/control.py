"""The client of the simulator's control port, for tests and the demo: standard library only."""

import http.client
import json
from contextlib import closing
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

Json = dict[str, Any]
When = Literal["before", "after"]


class ControlError(Exception):
    """The simulator refused a control call."""


class Control:
    """Steers the simulator at `url`, such as `http://127.0.0.1:12111`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    # The clock

    def state(self) -> Json:
        """The clock, the faults still ordered, and where and how webhooks go."""
        return self._call("GET", "state")

    def now(self) -> int:
        """The simulated time, in seconds since the epoch."""
        return int(self.state()["clock"]["now"])

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> int:
        """Move the clock on and do all that falls due, in order. Returns the time it then is."""
        by = int(days * 86400 + hours * 3600 + seconds)
        return int(self._call("POST", "clock", {"by": by})["now"])

    def set_clock(self, timestamp: int) -> int:
        """Set the clock; forward, all that falls due is done, back, nothing is undone."""
        return int(self._call("POST", "clock", {"to": timestamp})["now"])

    # What Stripe's API no longer does, and its dashboard did.

    def discount_customer(self, customer: str, coupon: str) -> str:
        """Give a customer a discount, which invoices take that have none of their own. Returns its id."""
        return str(self._call("POST", "customers/discount", {"customer": customer, "coupon": coupon})["id"])

    # Faults: the next `count` requests that match are hit. `path` is a pattern such as `/v1/customers*`.

    def delay(
        self, seconds: float, *, method: str = "*", path: str = "*", count: int = 1, when: When = "before"
    ) -> None:
        """Answer late: wait before or after the work."""
        where = {"method": method, "path": path, "count": count, "when": when}
        self._call("POST", "faults", {"kind": "delay", "seconds": seconds, **where})

    def fail(
        self,
        status: int = 500,
        *,
        body: Json | None = None,
        method: str = "*",
        path: str = "*",
        count: int = 1,
        when: When = "before",
        stored: bool | None = None,
    ) -> None:
        """Answer an error, with the work undone (`before`) or done (`after`).

        `stored`: whether the idempotency key remembers this answer; as at Stripe, a 500 is and others aren't.
        """
        where = {"method": method, "path": path, "count": count, "when": when}
        self._call(
            "POST", "faults", {"kind": "fail", "status": status, "body": body, "stored": stored, **where}
        )

    def drop(self, *, method: str = "*", path: str = "*", count: int = 1, when: When = "after") -> None:
        """Close the connection without an answer: by default after the work is done and committed."""
        where = {"method": method, "path": path, "count": count, "when": when}
        self._call("POST", "faults", {"kind": "drop", **where})

    def clear_faults(self) -> None:
        """Forget the faults; requests that are kept waiting are given up, without doing their work."""
        self._call("DELETE", "faults")

    # What banks say

    def refuse_charges(self, payment_method: str, reason: str = "insufficient_funds") -> None:
        """From now on the bank refuses charges of this payment method, also a debit that is under way.

        `reason`: a card's decline code, such as `lost_card`, or a debit's failure code.
        """
        self._call("POST", "refusals", {"payment_method": payment_method, "reason": reason})

    def allow_charges(self, payment_method: str) -> None:
        """Charges of this payment method do again what its test number says."""
        self._call("POST", "refusals", {"payment_method": payment_method, "reason": None})

    # What the API key may do

    def take_scopes(self, *permissions: str) -> None:
        """Make the key a restricted one that lacks these permissions, such as `rak_invoice_read`."""
        self._call("POST", "scopes", {"lacking": list(permissions)})

    def limit_rate(self, per_second: int | None) -> None:
        """Refuse with 429 what is more than so many requests in a second; None: take any number."""
        self._call("POST", "rate", {"per_second": per_second})

    # What was asked of the simulator

    def requests(self, **wanted: str) -> list[Json]:
        """The API requests seen, the first first; filtered by id, method, path or idempotency_key."""
        return list(self._call("GET", f"requests?{urlencode(wanted)}")["requests"])

    def forget_requests(self) -> None:
        self._call("DELETE", "requests")

    # Webhooks

    def set_webhook_endpoint(self, url: str | None, secret: str | None = None) -> None:
        """Send webhooks there from now on, also those still waiting; None: make events, but send none."""
        self._call("POST", "webhooks/endpoint", {"url": url, "secret": secret})

    def hold_webhooks(self) -> None:
        """Queue webhooks without sending them."""
        self._call("POST", "webhooks/hold")

    def release_webhooks(
        self, order: Literal["first", "reverse", "shuffle"] = "first", *, seed: int | None = None
    ) -> int:
        """Send what was held back, in this order. Returns how many."""
        return int(self._call("POST", "webhooks/release", {"order": order, "seed": seed})["released"])

    def drop_webhooks(self, count: int) -> None:
        """The next `count` events are never delivered."""
        self._call("POST", "webhooks/drop", {"count": count})

    def duplicate_webhooks(self, count: int, *, times: int = 1) -> None:
        """The next `count` events are each delivered `times` times more."""
        self._call("POST", "webhooks/duplicate", {"count": count, "times": times})

    def retry_webhooks(self) -> None:
        """Try undelivered webhooks now, without their backoff."""
        self._call("POST", "webhooks/retry")

    def resend_webhook(self, event: str) -> None:
        """Deliver an event once more."""
        self._call("POST", "webhooks/resend", {"event": event})

    def wait_for_webhooks(self, seconds: float = 5) -> bool:
        """Wait until every webhook is delivered. Returns whether that came true in time."""
        return bool(self._call("GET", f"webhooks/wait?seconds={seconds}")["delivered"])

    # The person at the hosted page

    def enter_card(
        self,
        page: str,
        *,
        number: str = "4242424242424242",
        expiry: str = "12 / 40",
        cvc: str = "123",
        name: str = "Test Person",
    ) -> str:
        """Send the card form of a Checkout session's or an invoice's page.

        Returns where the browser is sent: the success address, the 3-D Secure page, or "" where the page
        shows an error instead.
        """
        return self._post_form(page, number=number, expiry=expiry, cvc=cvc, name=name)

    def enter_bank_account(
        self,
        page: str,
        *,
        type: str,  # noqa: A002 # Stripe's word
        account: str,
        name: str = "Test Company",
    ) -> str:
        """Send a bank account's form: of type `sepa_debit`, `us_bank_account` or `bacs_debit`."""
        return self._post_form(page, type=type, account=account, name=name)

    def choose(self, page: str, type: str) -> str:  # noqa: A002 # Stripe's word
        """Choose `link`, `ideal` or `bancontact`, which ask for nothing here."""
        return self._post_form(page, type=type)

    def authenticate(self, page: str, *, succeed: bool = True) -> str:
        """Answer the 3-D Secure page. Returns where the browser is sent."""
        return self._post_form(page, result="complete" if succeed else "fail")

    def reset(self) -> None:
        """Forget all objects, events, keys, requests and faults, and go back to real time."""
        self._call("POST", "reset")

    def _call(self, method: str, name: str, given: Json | None = None) -> Json:
        status, _, body = self._send(
            method,
            f"/_control/{name}",
            json.dumps(given or {}) if method == "POST" else None,
            "application/json",
        )
        answer: Json = json.loads(body)
        if status != 200:
            raise ControlError(answer.get("error"))
        return answer

    def _post_form(self, page: str, **fields: str) -> str:
        _, headers, _ = self._send(
            "POST", urlsplit(page).path, urlencode(fields), "application/x-www-form-urlencoded"
        )
        return headers.get("Location", "")

    def _send(
        self, method: str, path: str, body: str | None, content_type: str
    ) -> tuple[int, dict[str, str], bytes]:
        address = urlsplit(self.url).netloc
        with closing(http.client.HTTPConnection(address, timeout=60)) as connection:
            connection.request(method, path, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
