"""Errors as Stripe answers them (https://docs.stripe.com/api/errors)."""

from typing import Any


class StripeError(Exception):
    """A request that Stripe refuses, with what its error body says."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"type": kind, "message": message, **details}
        if code:
            self.error["code"] = code
            self.error["doc_url"] = f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"
        if param:
            self.error["param"] = param


class InvalidParameterError(StripeError):
    """Refused before the endpoint ran, so that an idempotency key does not remember it."""


class CardDeclinedError(StripeError):
    """A declined card: the answer is an error, yet the attempt it made is kept."""

    def __init__(self, *, decline_code: str = "generic_decline", **details: Any) -> None:
        super().__init__(
            "Your card was declined.",
            status=402,
            kind="card_error",
            code="card_declined",
            decline_code=decline_code,
            **details,
        )


def required(param: str) -> InvalidParameterError:
    """A parameter that this request can't do without, beyond what the parameter types say."""
    return InvalidParameterError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def not_simulated(message: str, param: str) -> InvalidParameterError:
    """Something that Stripe does and the simulator doesn't."""
    return InvalidParameterError(
        f"The Stripe simulator {message}.", code="parameter_not_simulated", param=param
    )


def missing(kind: str, identifier: str, *, param: str = "id") -> StripeError:
    """No such object. Stripe answers 404 where the path names it and 400 where a parameter does."""
    return StripeError(
        f"No such {kind}: '{identifier}'",
        status=404 if param == "id" else 400,
        code="resource_missing",
        param=param,
    )
