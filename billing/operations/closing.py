"""Closing an organization, and undoing that: what Stripe has follows what the organization says.

One operation, of one step, for both: it lets end what renews while the organization closes, and keeps what
the closing had let end once that is undone. It asks anew where people decide otherwise meanwhile.
"""

import uuid
from datetime import timedelta
from typing import cast

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import ActorKind, AuditEvent
from audit.services import Actor, record
from billing import gateway
from billing.actions import SUBSCRIPTION_ENDING, SUBSCRIPTION_KEPT
from billing.closings import closing_version, ended_by_closing, renewing
from billing.ending_outcomes import CHANGED
from billing.endings import ending_of, stamp
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import (
    ENDED,
    SUBSCRIPTION_CHANGES,
    BillingAccount,
    OperationKind,
    OperationState,
    StripeOperation,
    Subscription,
)
from billing.models.operations import FIRST_STEP
from billing.operations.life import (
    fail,
    finish,
    key_expired,
    new_key,
    register,
    renew_key,
    resume,
    resume_each,
)
from billing.operations.people import person_of
from orgs import closing
from orgs.acting import MembersAct, acting, acting_as
from orgs.actions import CLOSING_BEGUN
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import Permission

# A subscription that can't be let end is tried again so often; its person gets a mail each time.
TRIED_EVERY = timedelta(days=1)
# What those read who look at the subscription at Stripe.
COMMENT = "The organization closes."

logger = structlog.get_logger(__name__)


def close_organization(*, actor: Membership, shown: str) -> StripeOperation | None:
    """Let the organization close, and its subscriptions end with their periods.

    ``shown``: what the page showed, see ``closing_version``. Returns the operation that asks Stripe, as far
    as it has come; None: there is nothing to ask. Raises Denied, Membership.DoesNotExist, PageOutdated and
    Refused.
    """
    with acting(actor, Permission.ORGANIZATION_CLOSE) as act:
        if act.organization.is_closing:
            # Pressed twice.
            return None
        account = BillingAccount.objects.locked(act.organization)
        _ensure_can_close(act, shown)
        closing.begin_closing(act)
        operation = _follow_closing(act.organization, account, actor=act.actor, ended=set())
    return _asked_now(operation)


def undo_closing(*, actor: Membership, shown: str) -> StripeOperation | None:
    """Let the organization stay, and keep what the closing had let end, unless it has ended.

    ``shown``: until when the page said that this can be done. Returns and raises as above.
    """
    with acting(actor, Permission.ORGANIZATION_CLOSE) as act:
        if not act.organization.is_closing or str(act.organization.closes_after) != shown:
            raise PageOutdated(
                _("The closing was undone already, or begun anew. This page shows how it is now.")
            )
        account = BillingAccount.objects.locked(act.organization)
        closing.undo_closing(act)
        ended = ended_by_closing(act.organization)
        operation = _follow_closing(act.organization, account, actor=act.actor, ended=ended)
    return _asked_now(operation)


def close_due() -> None:
    """Close for good what nobody can undo any more. Safe to run any number of times at once, and late.

    Not while a subscription would go on: it is let end first, so that nobody pays for what they can't reach.
    """
    for organization in Organization.objects.closing():
        if organization.is_due_to_close:
            try:
                _close_unless_something_renews(organization)
            except Exception:
                # The others must not wait for it.
                logger.exception("closing_failed", organization=str(organization.pk))


def _close_unless_something_renews(organization: Organization) -> None:
    operation = None
    with acting_as(Actor.system(), organization.pk) as act:
        if act.organization.closed_at is not None or not act.organization.is_due_to_close:
            return
        account = BillingAccount.objects.locked(act.organization)
        if not renewing(act.organization):
            closing.close(act)
        elif not _was_tried_lately(act.organization):
            logger.warning("closing_waits_for_subscription", organization=str(organization.pk))
            ended = ended_by_closing(act.organization)
            operation = _follow_closing(
                act.organization, account, actor=_asker(act.organization), ended=ended
            )
    if operation is not None:
        resume_each([operation.pk])


def _ensure_can_close(act: MembersAct, shown: str) -> None:
    under_way = (*SUBSCRIPTION_CHANGES, OperationKind.START_SUBSCRIPTION, OperationKind.BUY_CREDITS)
    if StripeOperation.objects.for_org(act.organization).pending().filter(kind__in=under_way).exists():
        raise Refused(_("A change is on its way to Stripe already. Look at it again in a moment."))
    if closing_version(act.organization) != shown:
        raise PageOutdated(
            _(
                "The subscription, or what is owed, has changed since. "
                "Nothing was done. Check it, then try again."
            )
        )
    for subscription in renewing(act.organization):
        obstacle = ending_of(subscription).obstacle
        if obstacle is not None:
            raise Refused(
                _("The subscription can't be canceled here yet. %(reason)s") % {"reason": obstacle.label}
            )


def _follow_closing(
    organization: Organization, account: BillingAccount, *, actor: Actor, ended: set[str]
) -> StripeOperation | None:
    """Note that Stripe is to be asked. One that waits already will find what the organization says by then.

    ``ended``: what the closing has let end before.
    """
    if not account.has_customer:
        return None
    operations = StripeOperation.objects.for_org(organization)
    waiting = operations.pending().filter(kind=OperationKind.FOLLOW_CLOSING).first()
    if waiting is not None:
        return waiting
    return StripeOperation.objects.create(
        organization=organization,
        kind=OperationKind.FOLLOW_CLOSING,
        idempotency_key=new_key(),
        actor_id=cast("uuid.UUID", actor.id),
        actor_name=actor.name,
        params={"ended": sorted(ended)},
    )


def _asked_now(operation: StripeOperation | None) -> StripeOperation | None:
    if operation is None:
        return None
    try:
        with gateway.person_waits():
            return resume(operation.pk)
    except gateway.GatewayUnavailable:
        # It is kept, and the sweep asks Stripe.
        return operation


def _was_tried_lately(organization: Organization) -> bool:
    tried = StripeOperation.objects.for_org(organization).filter(kind__in=SUBSCRIPTION_CHANGES)
    lately = tried.filter(created_at__gt=timezone.now() - TRIED_EVERY)
    return lately.exists() or tried.pending().exists()


def _asker(organization: Organization) -> Actor:
    asked = AuditEvent.objects.for_org(organization.pk).filter(action=CLOSING_BEGUN.code)
    event = asked.latest("id")
    return Actor(ActorKind.PERSON, event.actor_name, event.actor_id)


def _follow(operation: StripeOperation) -> None:
    if key_expired(operation):
        renew_key(operation)
    while not _is_followed(operation):
        # A key is for one request only.
        renew_key(operation)


def _is_followed(operation: StripeOperation) -> bool:
    """Make Stripe's subscriptions follow. False: people have decided otherwise during the calls."""
    organization = Organization.objects.get(pk=operation.organization_id)
    account = BillingAccount.objects.get(organization=organization)
    sync_subscriptions(account)
    if organization.is_closing:
        _let_end(operation, organization)
    else:
        _keep(operation, organization)
    sync_subscriptions(account)
    return _noted(operation, was_closing=organization.is_closing)


def _let_end(operation: StripeOperation, organization: Organization) -> None:
    for subscription in renewing(organization):
        if ending_of(subscription).obstacle is None:
            _remember(operation, subscription)
            gateway.end_subscription_with_period(
                subscription_id=subscription.stripe_id,
                feedback="",
                comment=COMMENT,
                idempotency_key=f"{operation.idempotency_key}-end-{subscription.stripe_id}",
            )


def _remember(operation: StripeOperation, subscription: Subscription) -> None:
    """Before the call, whose answer may never come. Raises LeaseLost."""
    ended = {*operation.result.get("ended", []), subscription.stripe_id}
    operation.renew(result={**operation.result, "ended": sorted(ended)})


def _keep(operation: StripeOperation, organization: Organization) -> None:
    ended = {*operation.params["ended"], *operation.result.get("ended", [])}
    for subscription in Subscription.objects.for_org(organization).current().filter(stripe_id__in=ended):
        if subscription.cancel_at_period_end:
            gateway.keep_subscription(
                subscription_id=subscription.stripe_id,
                idempotency_key=f"{operation.idempotency_key}-keep-{subscription.stripe_id}",
            )


@transaction.atomic
def _noted(operation: StripeOperation, *, was_closing: bool) -> bool:
    organization = BillingAccount.objects.locked_of(operation.organization_id).organization
    if organization.is_closing is not was_closing:
        return False
    if was_closing and renewing(organization):
        fail(operation, {**operation.result, "outcome": CHANGED})
        return True
    if was_closing:
        _record_ends(operation, organization)
        finish(operation, state=OperationState.DONE)
    else:
        kept = _record_kept(operation, organization)
        # What is kept is no longer ended by any closing.
        finish(operation, state=OperationState.DONE, params={"ended": []}, result={"kept": kept})
    return True


def _record_ends(operation: StripeOperation, organization: Organization) -> None:
    ended = operation.result.get("ended", [])
    for subscription in Subscription.objects.for_org(organization).filter(stripe_id__in=ended):
        record(
            SUBSCRIPTION_ENDING,
            actor=person_of(operation),
            organization=organization,
            target=(subscription.pk, subscription.stripe_id),
            ends=stamp(subscription.ends_at)[:10],
            feedback="",
        )


def _record_kept(operation: StripeOperation, organization: Organization) -> list[str]:
    ended = {*operation.params["ended"], *operation.result.get("ended", [])}
    kept = []
    for subscription in Subscription.objects.for_org(organization).filter(stripe_id__in=ended):
        if subscription.status not in ENDED and subscription.ends_at is None:
            kept.append(subscription.stripe_id)
            record(
                SUBSCRIPTION_KEPT,
                actor=person_of(operation),
                organization=organization,
                target=(subscription.pk, subscription.stripe_id),
            )
    return kept


register(OperationKind.FOLLOW_CLOSING, steps={FIRST_STEP: _follow})
