"""How a card set-up ended, and what its person reads of it."""

from django.conf import settings
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from billing.models import BillingAccount, StripeOperation, Subscription
from billing.models.operations import MISSING_SCOPE


class Outcome(models.TextChoices):
    """How a card set-up ended, with what its person reads; UNUSED only later, see ``standing_of``."""

    UPDATED = "updated", _("The card is saved. It pays the next charge.")
    PARTLY = (
        "partly",
        format_lazy(
            _(
                "The card is saved, but Stripe did not let it pay every subscription. This page shows what "
                "pays each. Write to {address}."
            ),
            address=settings.SUPPORT_EMAIL,
        ),
    )
    ADDED = "added", _("The payment method is saved. What pays stays as it was.")
    SUPERSEDED = "superseded", _("Another card was saved after this one and has replaced it.")
    UNUSED = "unused", _("The card was saved, but is no longer the one to pay. This page shows which one is.")
    EXPIRED = "expired", _("The card page was open too long, so no card was saved. Start again.")
    CLOSED = (
        "closed",
        _("You may no longer update the card, so Stripe's page was closed. Ask an admin."),
    )
    REFUSED = "card_refused", _("The bank did not accept this card. Use another card.")
    NOT_ALLOWED = "not_allowed", _("You may no longer update the card, so it was not saved. Ask an admin.")
    ERROR = "error", _("Stripe did not accept this card. Use another card.")
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


GOOD = {Outcome.UPDATED, Outcome.ADDED, Outcome.SUPERSEDED}


def outcome_of(operation: StripeOperation) -> Outcome:
    """How an operation that has ended did so."""
    if MISSING_SCOPE in operation.result:
        return Outcome.FORBIDDEN
    return Outcome(operation.result.get("outcome", Outcome.ERROR))


def standing_of(operation: StripeOperation) -> Outcome:
    """What holds of an ended operation's card now: since it was saved, another may have replaced it."""
    outcome = outcome_of(operation)
    if outcome not in GOOD or outcome is Outcome.ADDED:
        return outcome
    account = BillingAccount.objects.get(organization=operation.organization_id)
    own = operation.result.get("payment_method", "")
    # What is chosen pays in a moment, if it doesn't yet.
    if account.chosen_payment_method_id not in {"", own}:
        return Outcome.SUPERSEDED
    return Outcome.UPDATED if own and _all_that_pays(account) == {own} else Outcome.UNUSED


def _all_that_pays(account: BillingAccount) -> set[str]:
    """The ids of what pays the customer's current subscriptions, and whatever else comes."""
    own = Subscription.objects.for_org(account.organization_id).current().values_list("pays__id", flat=True)
    return {account.payment_method_id, *(method for method in own if method)}
