"""Beginning to set up a card or a bank debit: Stripe's page collects it, ``card_steps`` goes on from there.

Stripe's page offers what the account's settings and the currency allow, so no types are named here:
https://docs.stripe.com/payments/payment-methods/dynamic-payment-methods
"""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import gateway
from billing.actions import CARD_SETUP_STARTED
from billing.card_outcomes import Outcome
from billing.models import (
    BillingAccount,
    OperationKind,
    OperationState,
    PaymentLink,
    StripeOperation,
    Subscription,
)
from billing.operations.card_steps import settle
from billing.operations.customers import ensure_customer
from billing.operations.life import fail, new_operation, refusal_of, resume
from billing.operations.method_steps import Step
from billing.operations.presses import asking_stripe
from billing.operations.stripe_pages import closes_too_soon
from orgs.acting import acting
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Permission

SESSION_LIFE = timedelta(hours=2)
DEFAULT_CURRENCY = "usd"
# The page from which a person sets out, and to which they go back.
BEGUN_ON = {OperationKind.SET_UP_CARD: "billing", OperationKind.ADD_METHOD: "methods"}


def start_card_setup(
    *,
    actor: Membership,
    kind: OperationKind = OperationKind.SET_UP_CARD,
    payment_link: PaymentLink | None = None,
) -> str:
    """Begin a card set-up, or find the one that this person has open. Returns the address of Stripe's page.

    ``kind``: SET_UP_CARD replaces what pays, ADD_METHOD keeps it. ``payment_link``: by which somebody
    else begins it, in the name of its maker, who is the actor. Raises Denied, Membership.DoesNotExist,
    PaymentLink.DoesNotExist of one that has ended, and Refused when Stripe doesn't answer or refuses.
    """
    try:
        with asking_stripe(nothing=gettext_lazy("Nothing was changed.")):
            customer_id = ensure_customer(actor=actor)
            # A page that was left open and has closed meanwhile gives way to a new one.
            url = _open_page(actor, customer_id, kind, payment_link) or _open_page(
                actor, customer_id, kind, payment_link
            )
    except gateway.GatewayRefused:
        raise Refused(
            _("Stripe did not open its card page. Nothing was changed. Write to %(address)s.")
            % {"address": settings.SUPPORT_EMAIL}
        ) from None
    if not url:
        raise Refused(_("Stripe's card page closed at once. Nothing was changed. Try again."))
    return url


def _open_page(
    actor: Membership, customer_id: str, kind: OperationKind, payment_link: PaymentLink | None
) -> str:
    """The address of the open page of the person's card set-up; empty: it has just closed."""
    operation = _begin(actor, customer_id, kind, payment_link)
    if operation.state != OperationState.WAITING:
        operation = resume(operation.pk)
    if operation.state == OperationState.FAILED:
        raise refusal_of(operation)
    if operation.state != OperationState.WAITING:
        raise gateway.GatewayUnavailable(operation.error)
    session = gateway.card_session(operation.stripe_id)
    if session.status != "open":
        settle(operation, session)
    return session.url


def _begin(
    actor: Membership, customer_id: str, kind: OperationKind, payment_link: PaymentLink | None
) -> StripeOperation:
    """The card set-up that this person has open, or a new one."""
    with acting(actor, Permission.BILLING_CARD_UPDATE) as act:
        organization = act.organization
        if payment_link is not None:
            PaymentLink.objects.for_org(organization).live().get(pk=payment_link.pk)
        BillingAccount.objects.locked(organization)
        begun = (
            StripeOperation.objects.for_org(organization)
            .filter(StripeOperation.unfinished, kind=kind, step=Step.CREATE)
            .filter(actor_id=actor.user_id, payment_link=payment_link)
            .select_for_update()
            .first()
        )
        if begun is not None:
            if begun.params["customer"] == customer_id and not closes_too_soon(begun, begun.params):
                return begun
            fail(begun, {"outcome": Outcome.EXPIRED})
        operation = new_operation(kind=kind, actor=act.membership)
        operation.payment_link = payment_link
        subscription = Subscription.objects.for_org(organization).current().first()
        operation.params = {
            "mode": "setup",
            "customer": customer_id,
            "currency": subscription.currency if subscription else DEFAULT_CURRENCY,
            **_ways_back(operation),
            "expires_at": int((timezone.now() + SESSION_LIFE).timestamp()),
            "metadata": gateway.tags(organization.pk, operation.pk),
        }
        operation.save(force_insert=True)
        if payment_link is None:
            act.record(CARD_SETUP_STARTED, target=(operation.pk, ""))
        return operation


def _ways_back(operation: StripeOperation) -> dict[str, str]:
    """From Stripe's page. The holder of a payment link comes to pages without sign-in that name nothing."""
    site, slug = settings.SITE_URL, operation.organization.slug
    if operation.payment_link is not None:
        return {"success_url": site + reverse("pay_thanks"), "cancel_url": site + reverse("pay_stopped")}
    return {
        "success_url": f"{site}{reverse('card_return', args=[slug])}?operation={operation.pk}",
        "cancel_url": f"{site}{reverse(BEGUN_ON[OperationKind(operation.kind)], args=[slug])}",
    }
