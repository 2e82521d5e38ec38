"""Buying packs of credits: the press. ``credit_steps`` goes on from there."""

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.actions import CREDITS_ASKED
from billing.credit_offers import CreditOffer, credit_offer_in
from billing.credit_sales import sale_to
from billing.methods import saved_by
from billing.models import (
    BillingAccount,
    Invoice,
    OperationKind,
    PaymentStatus,
    StripeOperation,
    Subscription,
)
from billing.operations.life import new_operation, resume
from billing.operations.presses import asking_stripe
from billing.paying import charged_customer, saved_for
from orgs.acting import acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import Permission


def buy_credits(*, actor: Membership, sealed: str) -> StripeOperation:
    """Buy what the page offered, and nothing else. Returns the operation as far as it has come.

    Raises Denied, Membership.DoesNotExist, PageOutdated, and Refused when nothing was begun.
    """
    offer = credit_offer_in(sealed, reader=actor)
    with asking_stripe(nothing=gettext_lazy("Nothing was bought.")):
        return resume(_begin(actor, offer).pk)


def _begin(actor: Membership, offer: CreditOffer) -> StripeOperation:
    with acting(actor, Permission.BILLING_SUBSCRIPTION_UPDATE) as act:
        organization = act.organization
        account = BillingAccount.objects.locked(organization)
        begun = StripeOperation.objects.for_org(organization).filter(pk=offer.id).first()
        if begun is not None:
            # Pressed twice.
            return begun
        _ensure_alone(organization)
        _compare(organization, account, offer)
        operation = new_operation(kind=OperationKind.BUY_CREDITS, actor=act.membership)
        operation.pk = offer.id
        operation.params = {"offer": vars(offer)}
        operation.save(force_insert=True)
        act.record(
            CREDITS_ASKED,
            target=(operation.pk, ""),
            credits=offer.credits,
            amount={"amount": offer.amount_due, "currency": offer.currency},
        )
        return operation


def _ensure_alone(organization: Organization) -> None:
    purchases = StripeOperation.objects.for_org(organization).filter(kind=OperationKind.BUY_CREDITS)
    unpaid = Invoice.objects.open().filter(stripe_id=OuterRef("stripe_id"))
    unpaid = unpaid.exclude(payment_status=PaymentStatus.PROCESSING)
    if purchases.waiting().filter(Exists(unpaid)).exists():
        raise Refused(
            _(
                "A purchase of credits waits for its payment to be confirmed. Nothing was bought now. "
                "Confirm it on its invoice, or wait an hour: then it is called off."
            )
        )
    if purchases.pending().exists():
        raise Refused(
            _("Credits are being bought already. Nothing was bought now. Wait a moment, then look again.")
        )


def _compare(organization: Organization, account: BillingAccount, offer: CreditOffer) -> None:
    """Raise PageOutdated unless what the page showed is so."""
    subscriptions = list(Subscription.objects.for_org(organization).current())
    if not organization.edition.prepaid:
        raise PageOutdated(_("Your edition sells no prepaid credits any more. Nothing was bought."))
    sale = sale_to(organization, subscriptions)
    shown = (offer.price, offer.credits, offer.expires, offer.invoice["customer"])
    now = (
        sale.price.stripe_id,
        offer.packs * sale.price.credits,
        sale.expires_at.isoformat(),
        charged_customer(account),
    )
    if shown != now:
        raise PageOutdated(_("What is sold has changed. Nothing was bought. Check it, then press again."))
    saved = saved_for(sale.subscription.stripe_id, subscriptions, saved_by(account))
    pays = saved["id"] if saved and sale.subscription.charged_automatically else ""
    if (offer.method, offer.is_sent) != (pays, not sale.subscription.charged_automatically):
        raise PageOutdated(_("Something else pays by now. Nothing was bought. Check it, then press again."))
