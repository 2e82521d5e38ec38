"""What staff do about work with Stripe: messages of Stripe's, operations, and comparing with Stripe."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.failures import act_words
from billing.models import EventState, OperationState, StripeEvent, StripeOperation
from billing.operations.settling import give_up, try_again
from billing.reconciling import reconcile_now
from billing.replays import replay_event
from orgs.errors import Refused
from orgs.models import Organization
from orgs.policy import Permission
from support.acts.base import StaffAct, Target, Text, found
from support.principals import Staff


class ReplayEvent(StaffAct[StripeEvent]):
    name = "replay-event"
    permission = Permission.STRIPE_EVENTS_REPLAY
    submit = gettext_lazy("Apply again")
    tone = "primary"

    def find(self, key: str) -> Target[StripeEvent]:
        # Postgres takes no text with a NUL in it.
        event = StripeEvent.objects.filter(pk=key).first() if "\0" not in key else None
        if event is None:
            raise Http404
        owners = Organization.objects.filter(stripe_customers=event.customer_id)
        return Target(event, owners.first() if event.customer_id else None)

    def question(self, target: Target[StripeEvent]) -> Text:
        return _("Apply %(event)s again?") % {"event": target.thing.type}

    def consequences(self, target: Target[StripeEvent]) -> Sequence[Text]:
        event = target.thing
        if target.organization is None:
            return [_("No organization here has the customer that it is about, so it can't be applied.")]
        told = [_("The portal fetches what it is about from Stripe, as it is now, and writes that down.")]
        if event.state == EventState.DONE:
            told.append(_("It was applied before. To do so again changes nothing that is right."))
        if event.error:
            told.append(_("The last attempt failed: %(error)s") % {"error": event.error})
        return told

    def shown(self, target: Target[StripeEvent]) -> str:
        return target.thing.progress

    def run(self, staff: Staff, target: Target[StripeEvent], data: Mapping[str, Any]) -> Text:
        if target.organization is None:
            raise Refused(_("No organization here has the customer that it is about. Nothing was done."))
        actor = self.principal(staff, target, data)
        replay_event(actor=actor, event_id=target.thing.pk, shown=data["shown"])
        return _("It is applied again now. Look at it in a moment.")


class OperationAct(StaffAct[StripeOperation]):
    """An act on an operation that has not come to its end."""

    permission = Permission.OPERATIONS_SETTLE

    def find(self, key: str) -> Target[StripeOperation]:
        operation = found(StripeOperation.objects.select_related("organization"), key)
        return Target(operation, operation.organization)

    def shown(self, target: Target[StripeOperation]) -> str:
        return target.thing.progress


class RetryOperation(OperationAct):
    name = "retry-operation"
    submit = gettext_lazy("Try again now")
    tone = "primary"

    def question(self, target: Target[StripeOperation]) -> Text:
        return _("Try again now to %(act)s?") % {"act": act_words(target.thing.kind)}

    def consequences(self, target: Target[StripeOperation]) -> Sequence[Text]:
        operation = target.thing
        tried = ngettext("Tried once.", "Tried %(count)d times.", operation.attempts)
        told = [
            _("It goes on where it stopped, and asks Stripe for nothing twice."),
            tried % {"count": operation.attempts} if operation.attempts else _("Not tried yet."),
        ]
        if operation.error:
            told.append(_("The last attempt failed: %(error)s") % {"error": operation.error})
        return told

    def run(self, staff: Staff, target: Target[StripeOperation], data: Mapping[str, Any]) -> Text:
        actor = self.principal(staff, target, data)
        try_again(actor=actor, operation_id=target.thing.pk, shown=data["shown"])
        return _("It is tried again now. Look at it in a moment.")


class GiveUpOperation(OperationAct):
    name = "give-up-operation"
    submit = gettext_lazy("Give up")

    def question(self, target: Target[StripeOperation]) -> Text:
        return _("Stop trying to %(act)s?") % {"act": act_words(target.thing.kind)}

    def consequences(self, target: Target[StripeOperation]) -> Sequence[Text]:
        operation = target.thing
        if operation.state == OperationState.WAITING:
            return [_("It waits for a person or their bank, and ends by itself. Let it wait.")]
        told = [_("The portal asks Stripe for nothing more of it, and tells who asked for it.")]
        if operation.was_asked:
            told.append(
                _(
                    "Stripe was asked before, and the portal does not know what Stripe did. Look at Stripe's "
                    "dashboard first: what was done there stays done."
                )
            )
        else:
            told.append(_("Stripe was asked for nothing yet, so nothing of it was done."))
        return told

    def run(self, staff: Staff, target: Target[StripeOperation], data: Mapping[str, Any]) -> Text:
        actor = self.principal(staff, target, data)
        given_up = give_up(actor=actor, operation_id=target.thing.pk, shown=data["shown"])
        return _("The portal no longer tries to %(act)s.") % {"act": act_words(given_up.kind)}


class Reconcile(StaffAct[Organization]):
    name = "reconcile"
    permission = Permission.BILLING_RECONCILE
    submit = gettext_lazy("Compare now")
    tone = "primary"

    def find(self, key: str) -> Target[Organization]:
        organization = found(Organization.objects.all(), key)
        return Target(organization, organization)

    def question(self, target: Target[Organization]) -> Text:
        return _("Compare %(organization)s with Stripe now?") % {"organization": target.thing.name}

    def consequences(self, target: Target[Organization]) -> Sequence[Text]:  # noqa: ARG002 - of the base
        return [
            _("What differs is written down as Stripe has it. Nothing changes at Stripe."),
            _("It happens every day by itself, too."),
        ]

    def run(self, staff: Staff, target: Target[Organization], data: Mapping[str, Any]) -> Text:
        reconcile_now(actor=self.principal(staff, target, data))
        return _("It is compared now. The page says when it was, in a moment.")
