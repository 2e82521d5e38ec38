"""Errors as Stripe answers them (https://docs.stripe.com/api/errors)."""

from typing import Any

from stripe_simulator.outcomes import DECLINED, Refusal


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


class PaymentRefusedError(StripeError):
    """A payment that failed or waits for the person: the answer is an error, yet the attempt is kept."""


class CardDeclinedError(PaymentRefusedError):
    """A payment that the bank refused."""

    def __init__(self, refusal: Refusal = DECLINED, **details: Any) -> None:
        if refusal.decline_code:
            details["decline_code"] = refusal.decline_code
        super().__init__(refusal.message, status=402, kind="card_error", code=refusal.code, **details)


class ActionRequiredError(PaymentRefusedError):
    """A payment for which the bank wants to hear from the person (3-D Secure)."""

    def __init__(self) -> None:
        super().__init__(
            "This payment requires additional user action before it can be completed successfully. Payment "
            "can be completed using the PaymentIntent associated with this invoice. For more details see: "
            "https://stripe.com/docs/billing/subscriptions/overview#requires-action",
            status=402,
            kind="card_error",
            code="invoice_payment_intent_requires_action",
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
