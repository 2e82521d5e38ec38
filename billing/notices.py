"""The mails about money, put into the outbox within the transaction of what they tell of."""

from collections.abc import Iterator

from django.db.models import Q

from billing.models import BillingAccount, Invoice, StripeOperation
from billing.money import format_money
from orgs.models import Membership, Organization
from orgs.policy import Permission, may
from outbox.services import enqueue


def tell_of_failed_payment(organization: Organization, invoice: Invoice) -> None:
    """Once per attempt, to everybody who can mend it."""
    for membership in _people_of_billing(organization):
        enqueue(
            kind="payment_failed",
            to=membership.user.email,
            organization_id=organization.pk,
            dedupe_key=f"payment_failed:{invoice.stripe_id}:{invoice.attempt_count}:{membership.user_id}",
            organization=organization.name,
            slug=organization.slug,
            invoice=str(invoice),
            invoice_id=str(invoice.pk),
            amount=format_money(invoice.amount_remaining, invoice.currency),
            next_attempt=invoice.next_attempt_at.date().isoformat() if invoice.next_attempt_at else None,
        )


def tell_of_new_card(account: BillingAccount, operation: StripeOperation) -> None:
    """To everybody who works with billing: a mail that a person caused names him."""
    for membership in _people_of_billing(account.organization):
        enqueue(
            kind="card_updated",
            to=membership.user.email,
            organization_id=account.organization_id,
            dedupe_key=f"card_updated:{operation.pk}:{membership.user_id}",
            organization=account.organization.name,
            slug=account.organization.slug,
            actor=operation.actor_name,
            own=membership.user_id == operation.actor_id,
            brand=account.card_brand,
            last4=account.card_last4,
        )


def _people_of_billing(organization: Organization) -> Iterator[Membership]:
    """Whoever may update the card, whatever his role is called."""
    memberships = Membership.objects.for_org(organization).filter(Q(user__is_active=True))
    for membership in memberships.select_related("user").order_by("joined_at", "id"):
        membership.organization = organization
        if may(membership, Permission.BILLING_CARD_UPDATE):
            yield membership
