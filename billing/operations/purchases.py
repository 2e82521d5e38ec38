"""Beginning to buy an edition: Stripe's page sells it, ``purchase_steps`` goes on from there."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import gateway
from billing.actions import PURCHASE_BEGUN
from billing.mirror.prices import sync_prices
from billing.models import (
    BillingAccount,
    OperationKind,
    OperationState,
    Price,
    StripeOperation,
    Subscription,
)
from billing.models.operations import UNFINISHED
from billing.offers import offer_of
from billing.operations.customers import ensure_customer
from billing.operations.life import fail, new_operation, refusal_of, resume
from billing.operations.presses import asking_stripe
from billing.operations.purchase_steps import Step, close_page, settle
from billing.operations.stripe_pages import closes_too_soon
from billing.purchase_outcomes import PurchaseOutcome, purchase_outcome_of
from orgs.acting import acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission

SESSION_LIFE = timedelta(hours=2)


def start_purchase(*, actor: Membership, edition_code: str, shown_price: str) -> str:
    """Begin to buy an edition. Returns the address of Stripe's page.

    A page that the organization has open is closed first; the person's own for the same is found again.
    ``shown_price``: the id of the price that the person saw. Raises Denied, Membership.DoesNotExist,
    PageOutdated where it is another one by now, and Refused where there is a subscription already, or Stripe
    doesn't answer or refuses.
    """
    try:
        with asking_stripe(nothing=gettext_lazy("Nothing was bought.")):
            customer_id = ensure_customer(actor=actor)
            sync_prices()
            wanted = {"customer_id": customer_id, "edition_code": edition_code, "shown_price": shown_price}
            # A page that was left open and has closed meanwhile gives way to a new one.
            url = _open_page(actor, **wanted) or _open_page(actor, **wanted)
    except gateway.GatewayRefused:
        raise Refused(
            _("Stripe did not open its payment page. Nothing was bought. Write to %(address)s.")
            % {"address": settings.SUPPORT_EMAIL}
        ) from None
    if not url:
        raise Refused(_("Stripe's payment page closed at once. Nothing was bought. Try again."))
    return url


def _open_page(actor: Membership, *, customer_id: str, edition_code: str, shown_price: str) -> str:
    """The address of the open page of the person's purchase; empty: it has just closed."""
    _close_other_page(actor, customer_id, shown_price)
    operation = _begin(actor, customer_id, edition_code, shown_price)
    if operation.state != OperationState.WAITING:
        operation = resume(operation.pk)
    if operation.state == OperationState.FAILED:
        if "outcome" in operation.result:
            raise Refused(str(purchase_outcome_of(operation).label))
        raise refusal_of(operation)
    if operation.is_leased:
        raise _being_opened()
    if operation.state != OperationState.WAITING:
        raise gateway.GatewayUnavailable(operation.error)
    session = gateway.subscription_session(operation.stripe_id)
    if session.status != "open":
        settle(operation, session, closed_for=PurchaseOutcome.EXPIRED)
    return session.url


def _being_opened() -> Refused:
    return Refused(_("The payment page is being opened already. Try again in a moment."))


def _close_other_page(actor: Membership, customer_id: str, shown_price: str) -> None:
    """Close the page that the organization has open, unless it is this person's for the same price."""
    waiting = StripeOperation.objects.for_org(actor.organization).waiting()
    other = waiting.filter(kind=OperationKind.START_SUBSCRIPTION).first()
    if other is not None and not _is_same(other, actor, customer_id, shown_price):
        close_page(other, outcome=PurchaseOutcome.REPLACED)
        # It may have been paid before it could be closed.
        resume(other.pk)


def _is_same(begun: StripeOperation, actor: Membership, customer_id: str, shown_price: str) -> bool:
    session = begun.params["session"]
    (item,) = session["line_items"]
    return (begun.actor_id, session["customer"], item["price"]) == (actor.user_id, customer_id, shown_price)


def _begin(actor: Membership, customer_id: str, edition_code: str, shown_price: str) -> StripeOperation:
    """The purchase that this person has open, or a new one."""
    with acting(actor, Permission.BILLING_SUBSCRIPTION_UPDATE) as act:
        organization = act.organization
        BillingAccount.objects.locked(organization)
        if Subscription.objects.for_org(organization).current().exists():
            raise Refused(_("There is a subscription already. Nothing was bought."))
        offer = offer_of(edition_code)
        if offer is None or offer.price is None or offer.price.stripe_id != shown_price:
            raise PageOutdated(
                _("What is sold has changed. Nothing was bought. Check it, then choose again.")
            )
        begun = (
            StripeOperation.objects.for_org(organization)
            .filter(UNFINISHED, kind=OperationKind.START_SUBSCRIPTION)
            .select_for_update()
            .first()
        )
        if begun is not None:
            if begun.step != Step.CREATE:
                raise Refused(_("A purchase is on its way already. Look at it again in a moment."))
            is_same = _is_same(begun, actor, customer_id, shown_price)
            if is_same and not closes_too_soon(begun, begun.params["session"]):
                return begun
            if begun.state == OperationState.WAITING or begun.is_leased:
                raise _being_opened()
            # Nobody has the address of a page that is still to be made, or whose making was never answered.
            fail(begun, {"outcome": PurchaseOutcome.REPLACED})
        operation = new_operation(kind=OperationKind.START_SUBSCRIPTION, actor=act.membership)
        operation.params = {
            "edition": edition_code,
            "session": _session_params(operation, act.membership, customer_id, offer.price),
        }
        operation.save(force_insert=True)
        act.record(PURCHASE_BEGUN, target=(operation.pk, ""), edition=edition_code)
        return operation


def _session_params(
    operation: StripeOperation, actor: Membership, customer_id: str, price: Price
) -> dict[str, Any]:
    site, slug = settings.SITE_URL, actor.organization.slug
    tags = gateway.tags(actor.organization_id, operation.pk)
    # How much of a metered price is used, Stripe counts.
    quantity = {} if price.metered else {"quantity": 1}
    # Taxes hang on the address, which Stripe's page asks for where the customer has none.
    taxed = {
        "automatic_tax": {"enabled": True},
        "customer_update": {"address": "auto", "name": "auto"},
    }
    return {
        **(taxed if settings.STRIPE_AUTOMATIC_TAX else {}),
        "mode": "subscription",
        "customer": customer_id,
        "line_items": [{"price": price.stripe_id, **quantity}],
        "success_url": f"{site}{reverse('purchase_return', args=[slug])}?operation={operation.pk}",
        "cancel_url": f"{site}{reverse('purchase', args=[slug])}",
        "expires_at": int((timezone.now() + SESSION_LIFE).timestamp()),
        "metadata": tags,
        "subscription_data": {"metadata": tags},
    }
