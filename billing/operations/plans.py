"""Changing the plan: the press. ``plan_steps`` goes on from there."""

from collections.abc import Callable, Collection

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing import gateway
from billing.actions import PLAN_CHANGE_ASKED, PLAN_UNDO_ASKED
from billing.models import (
    SUBSCRIPTION_CHANGES,
    BillingAccount,
    OperationKind,
    OperationState,
    StripeOperation,
    Subscription,
)
from billing.operations.life import new_operation, resume
from billing.operations.plan_steps import Step
from billing.operations.presses import asking_stripe
from billing.plan_offers import Offer, offer_in
from billing.plans import changes_by, version_of
from orgs.acting import MembersAct, acting
from orgs.capacity import reserved_for, taken_by
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership, Organization
from orgs.policy import REMOVE_PERMISSIONS, Permission, Role

NOW = (OperationKind.CHANGE_PLAN, Step.CHANGE)
IN_TRIAL = (OperationKind.CHANGE_PLAN, Step.CHANGE_IN_TRIAL)
AT_PERIOD_END = (OperationKind.SCHEDULE_CHANGE, Step.BEGIN_SCHEDULE)
# A person's answer to the question which billing managers stay.
LATER = "later"


class NotAnswered(Refused):
    """The person has not said which billing managers stay."""


def accept_offer(*, actor: Membership, sealed: str, stays: Collection[str] = ()) -> StripeOperation:
    """Do what the page offered, and nothing else. Returns the operation as far as it has come.

    ``stays``: where not all billing managers may stay, the memberships of those who do, or LATER. Raises
    Denied, Membership.DoesNotExist, PageOutdated, and Refused when nothing was begun.
    """
    offer = offer_in(sealed, reader=actor)
    return _taken_to_stripe(lambda: _begin_change(actor, offer, stays))


def undo_change(*, actor: Membership, schedule_id: str) -> StripeOperation:
    """Let the subscription stay as it is. Returns the operation as far as it has come.

    ``schedule_id``: of the schedule that the page showed. Raises as above.
    """
    return _taken_to_stripe(lambda: _begin_undoing(actor, schedule_id))


def _taken_to_stripe(begin: Callable[[], StripeOperation]) -> StripeOperation:
    with asking_stripe(nothing=gettext_lazy("Nothing was changed.")):
        return resume(begin().pk)


def _begin_change(actor: Membership, offer: Offer, stays: Collection[str]) -> StripeOperation:
    with acting(actor, Permission.BILLING_SUBSCRIPTION_UPDATE) as act:
        organization = act.organization
        BillingAccount.objects.locked(organization)
        operations = StripeOperation.objects.for_org(organization)
        begun = operations.filter(pk=offer.id).first()
        if begun is not None:
            # Pressed twice.
            return begun
        _ensure_alone(organization)
        subscription = Subscription.objects.for_org(organization).filter(stripe_id=offer.subscription).first()
        if subscription is None or version_of(subscription) != offer.version:
            raise PageOutdated(
                _("The plan has changed since you opened this. Nothing was done. Check it, then press again.")
            )
        if offer.new["seats"] is not None:
            _ensure_seats_in_use(organization, offer.new["seats"])
        kind, step = _way_of(offer)
        operation = new_operation(kind=kind, actor=act.membership)
        operation.pk, operation.step = offer.id, step
        operation.params = {
            "offer": vars(offer),
            "leaving": _leaving(act, offer, stays),
            "metadata": gateway.tags(organization.pk, offer.id),
        }
        operation.save(force_insert=True)
        act.record(
            PLAN_CHANGE_ASKED,
            target=(operation.pk, ""),
            old=offer.old,
            new=offer.new,
            day=offer.moment.date().isoformat(),
        )
        return operation


def _begin_undoing(actor: Membership, schedule_id: str) -> StripeOperation:
    with acting(actor, Permission.BILLING_SUBSCRIPTION_UPDATE) as act:
        organization = act.organization
        BillingAccount.objects.locked(organization)
        begun = StripeOperation.objects.for_org(organization).pending().filter(kind=OperationKind.UNDO_CHANGE)
        operation = begun.filter(params__schedule=schedule_id).first()
        if operation is not None:
            return operation
        _ensure_alone(organization)
        planned = next(iter(changes_by(schedule_id, organization)), None)
        if planned is None:
            raise PageOutdated(_("There is no change to undo any more. This page shows what is planned."))
        operation = new_operation(kind=OperationKind.UNDO_CHANGE, actor=act.membership)
        operation.step = Step.RELEASE
        operation.params = {
            "schedule": schedule_id,
            "subscription": planned.subscription.stripe_id,
            "day": planned.at.date().isoformat(),
        }
        operation.save(force_insert=True)
        act.record(PLAN_UNDO_ASKED, target=(operation.pk, ""), day=planned.at.date().isoformat())
        return operation


def _way_of(offer: Offer) -> tuple[OperationKind, Step]:
    if offer.in_trial:
        return IN_TRIAL
    return NOW if offer.at_once else AT_PERIOD_END


def _ensure_alone(organization: Organization) -> None:
    under_way = StripeOperation.objects.for_org(organization).filter(
        kind__in=SUBSCRIPTION_CHANGES, state=OperationState.PENDING
    )
    if under_way.exists():
        raise PageOutdated(
            _("The subscription is being changed already. Nothing was done. Wait a moment, then look again.")
        )


def _ensure_seats_in_use(organization: Organization, seats: int) -> None:
    in_use = taken_by(organization, Role.MEMBER) + reserved_for(organization, Role.MEMBER)
    if seats < in_use:
        raise PageOutdated(
            ngettext(
                "%(count)s seat is in use, so there can't be fewer. Remove people first.",
                "%(count)s seats are in use, so there can't be fewer. Remove people first.",
                in_use,
            )
            % {"count": in_use}
        )


def _leaving(act: MembersAct, offer: Offer, stays: Collection[str]) -> list[str]:
    """The memberships of the billing managers who leave when the change counts, by the person's choice."""
    if not offer.managers:
        return []
    managers = Membership.objects.for_org(act.organization).billing_managers()
    if {str(pk) for pk in managers.values_list("pk", flat=True)} != set(offer.managers):
        raise PageOutdated(
            _("The billing managers have changed since you opened this. Nothing was done. Choose again.")
        )
    if not stays or not set(stays) <= {LATER, *offer.managers}:
        raise NotAnswered(_("Choose which billing manager stays, or decide later."))
    if LATER in stays:
        return []
    act.ensure(REMOVE_PERMISSIONS[Role.BILLING_MANAGER])
    return [pk for pk in offer.managers if pk not in stays]
