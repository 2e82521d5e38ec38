"""Queues of work that nobody tries again by itself: webhooks, mails, operations."""

from django.db.models import F, OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.failures import act_words, failure_words, outcome_in
from billing.models import OperationState, StripeCustomer, StripeEvent
from billing.selectors.attention import operations_in_trouble
from outbox.models import OutgoingEmail
from support.queues.base import Facts, Queue, Source, Words


def _event_words(facts: Facts) -> Words:
    return Words(facts["type"], facts["error"])


def _mail_words(facts: Facts) -> Words:
    kind = facts["kind"].replace("_", " ").capitalize()
    return Words(_("%(kind)s to %(address)s") % {"kind": kind, "address": facts["to"]}, facts["error"])


def _operation_words(facts: Facts) -> Words:
    what = _("%(person)s asked to %(act)s") % {"person": facts["person"], "act": act_words(facts["kind"])}
    if facts["state"] == OperationState.FAILED:
        return Words(what, failure_words(outcome_in(facts["result"])))
    tried = _("tried %(count)d times: %(error)s") % {"count": facts["attempts"], "error": facts["error"]}
    return Words(what, tried)


WEBHOOKS = Queue(
    code="webhooks",
    title=gettext_lazy("Webhooks given up"),
    about=gettext_lazy(
        "Stripe told of something, and it could not be applied. Reconciling heals most of it within a day."
    ),
    sources=(
        Source(
            code="webhook",
            rows=StripeEvent.objects.parked,
            at="received_at",
            at_label=gettext_lazy("received"),
            organization=Subquery(
                StripeCustomer.objects.filter(pk=OuterRef("customer_id")).values("organization")
            ),
            facts={"type": F("type"), "error": F("error")},
            words=_event_words,
            record="billing_stripeevent",
            acts=("replay-event",),
            organization_acts=("reconcile",),
        ),
    ),
)

MAILS = Queue(
    code="mails",
    title=gettext_lazy("Mails that failed"),
    about=gettext_lazy("The address refused the mail, or it could not be handed over for hours."),
    sources=(
        Source(
            code="mail",
            rows=OutgoingEmail.objects.failed,
            at="created_at",
            at_label=gettext_lazy("written"),
            organization=F("organization_id"),
            facts={"kind": F("kind"), "to": F("to"), "error": F("error")},
            words=_mail_words,
            record="outbox_outgoingemail",
            acts=("send-mail-again",),
        ),
    ),
)

OPERATIONS = Queue(
    code="operations",
    title=gettext_lazy("Operations given up"),
    about=gettext_lazy(
        "Stripe refused what somebody asked for, in a way that only support can mend, or does not answer."
    ),
    sources=(
        Source(
            code="operation",
            rows=operations_in_trouble,
            at="created_at",
            at_label=gettext_lazy("asked for"),
            organization=F("organization_id"),
            facts={
                "kind": F("kind"),
                "person": F("actor_name"),
                "state": F("state"),
                "result": F("result"),
                "attempts": F("attempts"),
                "error": F("error"),
            },
            words=_operation_words,
            record="billing_stripeoperation",
            acts=("retry-operation", "give-up-operation"),
        ),
    ),
)
