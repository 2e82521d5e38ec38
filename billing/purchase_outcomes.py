"""How the purchase of an edition ended, and what its person reads of it."""

from django.conf import settings
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from billing.models import StripeOperation
from billing.models.operations import MISSING_SCOPE


class PurchaseOutcome(models.TextChoices):
    """How a purchase ended, with what its person reads."""

    STARTED = "started", _("The subscription has started.")
    EXPIRED = "expired", _("The payment page was open too long, so nothing was bought. Start again.")
    REPLACED = "replaced", _("The payment page was closed, since another one was opened. Nothing was bought.")
    TAKEN = (
        "taken",
        _("There is a subscription already, so the payment page was closed. Nothing was bought."),
    )
    NOT_ALLOWED = (
        "not_allowed",
        _("You may no longer change the subscription, so the payment page was closed. Nothing was bought."),
    )
    TAKEN_LATE = (
        "taken_late",
        _(
            "Another subscription started while you paid, so yours was ended at once. What you paid for the "
            "time to come is credited to the balance, which pays the next invoices."
        ),
    )
    NOT_ALLOWED_LATE = (
        "not_allowed_late",
        _(
            "You lost the permission to change the subscription while you paid, so it was ended at once. "
            "What was paid for the time to come is credited to the balance of the organization. Ask an admin."
        ),
    )
    ERROR = (
        "error",
        format_lazy(
            _("Stripe did not start the subscription. Write to {address}."), address=settings.SUPPORT_EMAIL
        ),
    )
    FORBIDDEN = (
        "forbidden",
        format_lazy(
            _(
                "The portal lacks a permission at Stripe and could not finish, and only support can add it: "
                "write to {address}."
            ),
            address=settings.SUPPORT_EMAIL,
        ),
    )


def purchase_outcome_of(operation: StripeOperation) -> PurchaseOutcome:
    """How a purchase that has ended did so."""
    if MISSING_SCOPE in operation.result:
        return PurchaseOutcome.FORBIDDEN
    return PurchaseOutcome(operation.result.get("outcome", PurchaseOutcome.ERROR))
