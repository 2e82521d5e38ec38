"""Credits follow the invoice that sold them: granted once it is paid, voided once all was given back."""

from django.utils import timezone

from audit.services import Actor, record
from billing.actions import CREDITS_BOUGHT, CREDITS_VOIDED
from billing.credit_offers import CreditOffer
from billing.models import Invoice, InvoiceStatus, OperationKind, StripeOperation
from billing.notices import tell_of_bought_credits
from billing.operations.people import person_of
from credits.models import Grant
from credits.services.grants import grant_bought, void_granted
from orgs.models import Organization


def let_bought_credits_follow(organization: Organization, invoice: Invoice) -> None:
    """Call it with the billing account locked, whenever the invoice has changed. What is so already stays.

    Which invoices sell credits the portal knows by its own operations, and by nothing that Stripe says.
    """
    purchases = StripeOperation.objects.for_org(organization).filter(kind=OperationKind.BUY_CREDITS)
    purchase = purchases.filter(stripe_id=invoice.stripe_id).first()
    if purchase is None:
        return
    source = f"invoice:{invoice.stripe_id}"
    if invoice.status == InvoiceStatus.PAID and not _is_given_back(invoice):
        granted = grant_bought(
            organization_id=organization.pk,
            source=source,
            amount=CreditOffer(**purchase.params["offer"]).credits,
            paid_at=invoice.paid_at or timezone.now(),
        )
        if granted is not None:
            _tell(organization, invoice, purchase, granted)
        return
    voided = void_granted(organization_id=organization.pk, source=source)
    if voided is not None:
        record(
            CREDITS_VOIDED,
            actor=Actor.stripe(),
            organization=organization,
            target=(invoice.pk, str(invoice)),
            credits=voided.credits,
        )


def _is_given_back(invoice: Invoice) -> bool:
    """All of it, or never asked for: what is given back of a part, as for goodwill, says of no credits."""
    before: int = invoice.document["credited_before_payment"]
    return 0 < invoice.total <= invoice.refunded + invoice.credited + before


def _tell(organization: Organization, invoice: Invoice, purchase: StripeOperation, granted: Grant) -> None:
    record(
        CREDITS_BOUGHT,
        actor=person_of(purchase),
        organization=organization,
        target=(invoice.pk, str(invoice)),
        credits=granted.credits,
        amount={"amount": invoice.total, "currency": invoice.currency},
        expires=granted.expires_at.date().isoformat(),
    )
    tell_of_bought_credits(organization, purchase, invoice, granted)
