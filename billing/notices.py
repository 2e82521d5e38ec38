"""The mails about money, put into the outbox within the transaction of what they tell of."""

from billing.mails import CARD_UPDATED_MAIL, PAYMENT_FAILED_MAIL
from billing.models import BillingAccount, Invoice, StripeOperation
from orgs.models import Membership, Organization
from orgs.policy import Permission, granting_roles
from outbox.services import enqueue_each


def tell_of_failed_payment(organization: Organization, invoice: Invoice) -> None:
    """Once per attempt, to everybody who can mend it."""
    enqueue_each(
        PAYMENT_FAILED_MAIL,
        to={
            f"payment_failed:{invoice.stripe_id}:{invoice.attempt_count}:{person.user_id}": person.user.email
            for person in _people_of_billing(organization)
        },
        organization_id=organization.pk,
        organization=organization.name,
        slug=organization.slug,
        invoice=str(invoice),
        invoice_id=str(invoice.pk),
        amount=invoice.amount_remaining,
        currency=invoice.currency,
        reason=invoice.failure_code,
        next_attempt=invoice.next_attempt_at.date().isoformat() if invoice.next_attempt_at else None,
    )


def tell_of_new_card(account: BillingAccount, operation: StripeOperation) -> None:
    """To everybody who works with billing. It names the person who saved the card."""
    people = _people_of_billing(account.organization)
    for own in (True, False):
        enqueue_each(
            CARD_UPDATED_MAIL,
            to={
                f"card_updated:{operation.pk}:{person.user_id}": person.user.email
                for person in people
                if (person.user_id == operation.actor_id) is own
            },
            organization_id=account.organization_id,
            organization=account.organization.name,
            slug=account.organization.slug,
            actor=operation.actor_name,
            own=own,
            method_kind=account.payment_method_kind,
            method_brand=account.card_brand,
            method_last4=account.card_last4,
        )


def _people_of_billing(organization: Organization) -> list[Membership]:
    """Everybody who may update the card, by the policy and not by the name of a role."""
    roles = granting_roles(Permission.BILLING_CARD_UPDATE)
    memberships = Membership.objects.for_org(organization).filter(role__in=roles, user__is_active=True)
    return list(memberships.select_related("user").order_by("joined_at", "id"))
