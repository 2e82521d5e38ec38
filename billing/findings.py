"""Keeping what is found to be wrong between the portal and Stripe, until it is right again."""

from collections.abc import Mapping

from django.db.models.functions import Now

from billing.models import NOT_IN_FORCE, FoundDrift, StripeEvent, UnknownCustomer, UnreadableObject
from orgs.models import Organization

# https://docs.stripe.com/api/events/types
PAID = "invoice.paid"
SUBSCRIBES = ("customer.subscription.created", "customer.subscription.updated")
PAYS_NO_MORE = ("customer.subscription.deleted", "customer.deleted")


def note_drift(organization: Organization, **healed: int) -> None:
    """How many rows of each kind were healed: in the transaction that did so."""
    FoundDrift.objects.update_or_create(organization=organization, defaults={**healed, "found_at": Now()})


def note_unreadable(organization: Organization, errors: Mapping[str, str]) -> None:
    """``errors``: why, by the id of each object of the organization's that can't be read now."""
    known = UnreadableObject.objects.for_org(organization)
    # Nearly always there are none, and a comparison that finds nothing new writes nothing.
    readable = [one.pk for one in known if one.stripe_id not in errors]
    if readable:
        known.filter(pk__in=readable).delete()
    UnreadableObject.objects.bulk_create(
        [
            UnreadableObject(organization=organization, stripe_id=stripe_id, reason=reason)
            for stripe_id, reason in errors.items()
        ],
        ignore_conflicts=True,
    )


def note_unknown_customer(event: StripeEvent) -> None:
    """An event of a customer that is no organization's: it counts where it tells of money."""
    if event.type in PAYS_NO_MORE:
        UnknownCustomer.objects.filter(pk=event.customer_id).delete()
    elif _tells_of_money(event):
        UnknownCustomer.objects.bulk_create(
            [UnknownCustomer(stripe_id=event.customer_id, event_type=event.type)], ignore_conflicts=True
        )


def _tells_of_money(event: StripeEvent) -> bool:
    subject = event.payload["data"]["object"]
    if event.type == PAID:
        return int(subject["amount_paid"]) > 0
    return event.type in SUBSCRIBES and subject["status"] not in NOT_IN_FORCE
