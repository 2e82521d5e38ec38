"""How a purchase of credits ended, and what its person reads of it."""

from django.conf import settings
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from billing.credit_offers import CreditOffer
from billing.declines import reason_of
from billing.models import StripeOperation
from billing.models.operations import MISSING_SCOPE
from billing.money import format_money
from orgs.dates import day


class CreditOutcome(models.TextChoices):
    """How it ended, with what its person reads."""

    BOUGHT = "bought", _("%(credits)s credits are bought for %(amount)s. They expire on %(day)s.")
    SENT = "sent", _("An invoice of %(amount)s was sent. The %(credits)s credits come once it is paid.")
    ON_ITS_WAY = (
        "on_its_way",
        _("A payment of %(amount)s is on its way. The %(credits)s credits come once it has arrived."),
    )
    CONFIRM = (
        "confirm",
        _("The bank wants you to confirm the payment of %(amount)s. The credits come once it is paid."),
    )
    UNCONFIRMED = (
        "unconfirmed",
        _("The payment of %(amount)s was not confirmed in time. Nothing was bought. Start again."),
    )
    DECLINED = (
        "declined",
        _("The payment of %(amount)s was declined: %(reason)s. Nothing was bought. Use another card."),
    )
    PRICE_CHANGED = (
        "price_changed",
        _("The amounts have changed meanwhile. Nothing was bought. Check the new ones."),
    )
    NOT_ALLOWED = "not_allowed", _("You may no longer buy credits. Nothing was bought. Ask an admin.")
    TOO_LATE = "too_late", _("Stripe did not answer in time. Nothing was bought. Try again.")
    VOID = "void", _("The invoice is void. Nothing was bought.")
    REFUSED = (
        "refused",
        format_lazy(
            _("Stripe did not accept the purchase. Nothing was bought. Write to {address}."),
            address=settings.SUPPORT_EMAIL,
        ),
    )
    UNREAD = (
        "unread",
        format_lazy(
            _(
                "The portal could not finish the purchase, or not read what became of it. Write to {address} "
                "before you buy again."
            ),
            address=settings.SUPPORT_EMAIL,
        ),
    )


def credit_outcome_of(operation: StripeOperation) -> CreditOutcome:
    """How an operation that has ended did so, or what it waits for."""
    if MISSING_SCOPE in operation.result or "outcome" not in operation.result:
        return CreditOutcome.UNREAD
    return CreditOutcome(operation.result["outcome"])


def sentence_of(operation: StripeOperation) -> str:
    offer = CreditOffer(**operation.params["offer"])
    return str(credit_outcome_of(operation).label) % {
        "amount": format_money(offer.amount_due, offer.currency),
        "credits": f"{offer.credits:,}",
        "day": day(offer.expires_at),
        "reason": reason_of(operation.result.get("reason", "")),
    }
