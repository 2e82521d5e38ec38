"""How a press to pay an invoice ended, and what its person reads of it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from billing.methods import method_name
from billing.models import StripeOperation
from billing.models.operations import MISSING_SCOPE
from billing.money import format_money


class Outcome(models.TextChoices):
    """How a press ended, with what its person reads."""

    PAID = "paid", _("Paid %(amount)s with %(method)s.")
    ON_ITS_WAY = "on_its_way", _("A payment of %(amount)s is on its way. Banks take a few days.")
    CONFIRM = "confirm", _("The bank wants you to confirm the payment of %(amount)s.")
    DECLINED = "declined", _("The payment of %(amount)s was declined. Nothing was charged.")
    PAID_BEFORE = "paid_before", _("%(amount)s was paid already. Nothing was charged now.")
    VOID = "void", _("The invoice is void. Nothing was charged.")
    AMOUNT_CHANGED = (
        "amount_changed",
        _("The amount has changed: %(amount)s is due now. Nothing was charged."),
    )
    METHOD_CHANGED = (
        "method_changed",
        _("The payment method has changed: %(method)s pays now. Nothing was charged."),
    )
    METHOD_GONE = (
        "method_gone",
        _("No payment method is saved any more. Nothing was charged."),
    )
    NOT_ALLOWED = (
        "not_allowed",
        _("You may no longer pay invoices. Nothing was charged. Ask an admin."),
    )
    TOO_LATE = (
        "too_late",
        _("Stripe did not answer in time. Nothing was charged. Try again."),
    )
    REFUSED = (
        "refused",
        format_lazy(
            _(
                "Stripe did not take the payment of %(amount)s. Nothing was charged. Use another card, or "
                "write to {address}."
            ),
            address=settings.SUPPORT_EMAIL,
        ),
    )
    UNREAD = (
        "unread",
        format_lazy(
            _(
                "The portal could not read what became of the payment of %(amount)s. Write to {address} "
                "before you pay again."
            ),
            address=settings.SUPPORT_EMAIL,
        ),
    )
    FORBIDDEN = (
        "forbidden",
        format_lazy(
            _(
                "The portal lacks a permission at Stripe and could not finish, and only support can add it: "
                "write to {address} before you pay again."
            ),
            address=settings.SUPPORT_EMAIL,
        ),
    )

    @property
    def is_good(self) -> bool:
        """What was asked for was done, or goes on without us."""
        return self in {self.PAID, self.ON_ITS_WAY, self.CONFIRM}


class Told(NamedTuple):
    outcome: Outcome
    sentence: str


def outcome_of(operation: StripeOperation) -> Outcome:
    """How an operation that has ended did so."""
    if MISSING_SCOPE in operation.result:
        return Outcome.FORBIDDEN
    # Stripe has answered, and did not let the invoice be read.
    unknown = Outcome.UNREAD if "answer" in operation.result else Outcome.REFUSED
    return Outcome(operation.result.get("outcome", unknown))


def told(operations: Iterable[StripeOperation]) -> list[Told]:
    """A sentence for each outcome; payments that ended alike are told as one sum. All in one currency."""
    alike: dict[Outcome, list[dict[str, Any]]] = {}
    for operation in operations:
        alike.setdefault(outcome_of(operation), []).append({**operation.params, **operation.result})
    return [
        Told(outcome, sentence(outcome, {**ended[0], "amount": sum(one["amount"] for one in ended)}))
        for outcome, ended in alike.items()
    ]


def sentence(outcome: Outcome, payment: Mapping[str, Any]) -> str:
    """``payment``: with ``amount``, ``currency``, and the codes of the saved ``method`` or None."""
    method = payment["method"]
    return str(outcome.label) % {
        "amount": format_money(payment["amount"], payment["currency"]),
        "method": method_name(method["kind"], method["brand"], method["last4"]) if method else "",
    }
