"""Queues of money that isn't as it should be: between Stripe and the portal, or without an owner."""

from collections.abc import Iterable

from django.db.models import F, UUIDField, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.models import FoundDrift, UnknownCustomer, UnreadableObject
from billing.money import format_money
from billing.selectors.attention import (
    accounts_not_compared,
    operations_invoiced_otherwise,
    subscriptions_at_unknown_prices,
    subscriptions_of_closed,
)
from billing.selectors.on_demand import charges_missing_lately
from orgs.editions import CREDIT_CURRENCY
from support.queues.base import Facts, Queue, Source, Words

NOBODY = Value(None, output_field=UUIDField())


def _drift_words(facts: Facts) -> Words:
    counts = [
        ngettext("%d customer", "%d customers", facts["customers"]) % facts["customers"],
        ngettext("%d subscription", "%d subscriptions", facts["subscriptions"]) % facts["subscriptions"],
        ngettext("%d invoice", "%d invoices", facts["invoices"]) % facts["invoices"],
        ngettext("%d on-demand item", "%d on-demand items", facts["on_demand"]) % facts["on_demand"],
    ]
    healed = ", ".join(text for text in counts if not text.startswith("0 "))
    return Words(_("Healed: %(counts)s") % {"counts": healed}, _("No webhook had told of it."))


def _unreadable_words(facts: Facts) -> Words:
    return Words(_("The portal can't read %(id)s") % {"id": facts["stripe_id"]}, facts["reason"])


def _not_compared_words(facts: Facts) -> Words:
    return Words(_("Can't be compared with Stripe"), facts["error"])


def _difference_words(facts: Facts) -> Words:
    invoiced, offer = facts["result"]["difference"], facts["params"]["offer"]
    amounts = {
        "accepted": format_money(offer["amount_due"], offer["currency"]),
        "invoiced": format_money(invoiced["amount_due"], invoiced["currency"]),
    }
    what = _("%(person)s accepted %(accepted)s") % {"person": facts["person"], **amounts}
    return Words(what, _("Invoiced: %(invoiced)s.") % amounts)


def _prices_words(facts: Facts) -> Words:
    return Words(
        facts["stripe_id"],
        _("No edition knows what it sells: %(names)s.") % {"names": ", ".join(_names(facts["items"]))},
    )


def _names(items: Iterable[Facts]) -> list[str]:
    return [item["lookup_key"] or item["description"] or item["price_id"] for item in items]


def _closed_words(facts: Facts) -> Words:
    return Words(facts["stripe_id"], _("The organization has closed, and its subscription goes on."))


def _unknown_words(facts: Facts) -> Words:
    return Words(
        facts["stripe_id"],
        _("Stripe told of %(event)s for a customer of no organization.") % {"event": facts["event_type"]},
    )


def _charge_words(facts: Facts) -> Words:
    amount = format_money(facts["amount"], CREDIT_CURRENCY)
    return Words(
        _("%(amount)s of on-demand credits") % {"amount": amount}, _("Not at Stripe as it was charged.")
    )


DRIFT = Queue(
    code="drift",
    title=gettext_lazy("Drift from Stripe"),
    about=gettext_lazy(
        "The daily comparison found what no webhook had told of, or could not compare everything."
    ),
    sources=(
        Source(
            code="drift",
            rows=FoundDrift.objects.all,
            at="found_at",
            at_label=gettext_lazy("found"),
            organization=F("organization_id"),
            facts={name: F(name) for name in ("customers", "subscriptions", "invoices", "on_demand")},
            words=_drift_words,
            record="billing_founddrift",
            organization_acts=("reconcile",),
        ),
        Source(
            code="unreadable",
            rows=UnreadableObject.objects.all,
            at="found_at",
            at_label=gettext_lazy("found"),
            organization=F("organization_id"),
            facts={"stripe_id": F("stripe_id"), "reason": F("reason")},
            words=_unreadable_words,
            record="billing_unreadableobject",
            organization_acts=("reconcile",),
            at_stripe="stripe_id",
        ),
        Source(
            code="not_compared",
            rows=accounts_not_compared,
            at="created_at",
            at_label=gettext_lazy("customer since"),
            organization=F("organization_id"),
            facts={"error": F("error")},
            words=_not_compared_words,
            record="billing_billingaccount",
            organization_acts=("reconcile",),
        ),
    ),
)

PREVIEWS = Queue(
    code="previews",
    title=gettext_lazy("Invoices unlike their preview"),
    about=gettext_lazy("A person accepted one amount and was invoiced another. Make it good at Stripe."),
    sources=(
        Source(
            code="preview",
            rows=operations_invoiced_otherwise,
            at="created_at",
            at_label=gettext_lazy("accepted"),
            organization=F("organization_id"),
            facts={
                "person": F("actor_name"),
                "params": F("params"),
                "result": F("result"),
                "customer": F("organization__billing_account__stripe_customer_id"),
            },
            words=_difference_words,
            record="billing_stripeoperation",
            organization_acts=("give-credits",),
            at_stripe="customer",
        ),
    ),
)

PRICES = Queue(
    code="prices",
    title=gettext_lazy("Prices that no edition knows"),
    about=gettext_lazy("The organization keeps the edition and the seats that it had before."),
    sources=(
        Source(
            code="price",
            rows=subscriptions_at_unknown_prices,
            at="created_at",
            at_label=gettext_lazy("subscribed"),
            organization=F("organization_id"),
            facts={"stripe_id": F("stripe_id"), "items": F("items")},
            words=_prices_words,
            record="billing_subscription",
            organization_acts=("reconcile",),
            at_stripe="stripe_id",
        ),
    ),
)

PAYING = Queue(
    code="paying",
    title=gettext_lazy("Paying without an organization"),
    about=gettext_lazy("Stripe charges somebody who can't see it here, or end it."),
    sources=(
        Source(
            code="closed",
            rows=subscriptions_of_closed,
            at="organization__closed_at",
            at_label=gettext_lazy("closed"),
            organization=F("organization_id"),
            facts={"stripe_id": F("stripe_id")},
            words=_closed_words,
            record="billing_subscription",
            organization_acts=("reconcile",),
            at_stripe="stripe_id",
        ),
        Source(
            code="unknown_customer",
            rows=UnknownCustomer.objects.still_unknown,
            at="found_at",
            at_label=gettext_lazy("first heard of"),
            organization=NOBODY,
            facts={"stripe_id": F("stripe_id"), "event_type": F("event_type")},
            words=_unknown_words,
            record="billing_unknowncustomer",
            at_stripe="stripe_id",
        ),
    ),
)

ON_DEMAND = Queue(
    code="on_demand",
    title=gettext_lazy("On-demand credits not at Stripe"),
    about=gettext_lazy("Spans of the last two months whose charge Stripe doesn't have, or has otherwise."),
    sources=(
        Source(
            code="charge",
            rows=charges_missing_lately,
            at="since",
            at_label=gettext_lazy("used since"),
            organization=F("organization_id"),
            facts={"amount": F("amount")},
            words=_charge_words,
            record="credits_ondemandcharge",
            mended_on="on_demand",
        ),
    ),
)
