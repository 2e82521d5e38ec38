"""Whether what people did is what was charged and told: once, and nothing else."""

from collections import Counter
from typing import Any

from audit.models import AuditEvent
from billing import payment_outcomes
from billing.actions import INVOICE_PAID, PAYMENT_STARTED
from billing.card_outcomes import Outcome
from billing.failures import ABANDONED, outcome_in
from billing.invoice_states import InvoiceState, state_of
from billing.models import (
    ENDED,
    ENDING_KINDS,
    PLAN_CHANGES,
    Invoice,
    OperationKind,
    OperationState,
    PaymentLink,
    StripeOperation,
)
from billing.models.operations import SET_UPS
from outbox.models import OutgoingEmail
from stripe_simulator.simulator import Simulator

# Of a payment that may still come through.
UNDECIDED = {InvoiceState.ON_ITS_WAY, InvoiceState.NEEDS_CONFIRMATION}
# What is told of an operation: when it is asked for, when it is done, and when it failed.
ASKED = {
    OperationKind.CHANGE_PLAN: "subscription.change_asked",
    OperationKind.SCHEDULE_CHANGE: "subscription.change_asked",
    OperationKind.UNDO_CHANGE: "subscription.undo_asked",
    OperationKind.START_SUBSCRIPTION: "subscription.purchase_begun",
}
DONE = {
    OperationKind.CHANGE_PLAN: "subscription.plan_changed",
    OperationKind.SCHEDULE_CHANGE: "subscription.change_planned",
    OperationKind.UNDO_CHANGE: "subscription.change_undone",
    OperationKind.REMOVE_METHOD: "card.removed",
    OperationKind.UPDATE_DETAILS: "details.changed",
    OperationKind.REPLACE_CONTACT: "details.changed",
    OperationKind.ADD_TAX_ID: "details.tax_id_added",
    OperationKind.REMOVE_TAX_ID: "details.tax_id_removed",
    OperationKind.CREATE_CUSTOMER: "billing.customer_made",
    OperationKind.RENAME_CUSTOMER: "billing.customer_renamed",
}
MADE_TO_PAY = {Outcome.UPDATED, Outcome.PARTLY}


def assert_each_act_is_recorded() -> None:
    told: dict[str, Counter[str]] = {}
    for action, target in AuditEvent.objects.values_list("action", "target_id"):
        told.setdefault(str(target), Counter())[action] += 1
    for operation in StripeOperation.objects.all():
        assert told.get(str(operation.pk), Counter()) == Counter(_told_of(operation)), operation.kind
    for link in PaymentLink.objects.all():
        happened = {
            "payment_link.made": True,
            "payment_link.opened": link.opened_at is not None,
            "payment_link.revoked": link.revoked_at is not None,
        }
        assert told[str(link.pk)] == Counter(action for action, so in happened.items() if so)


def _told_of(operation: StripeOperation) -> list[str]:
    kind = OperationKind(operation.kind)
    if kind in SET_UPS or kind == OperationKind.CHOOSE_METHOD:
        told = _told_of_method(operation)
    else:
        is_done = operation.state == OperationState.DONE
        if kind == OperationKind.REPLACE_CONTACT:
            # Somebody else may have replaced it first.
            is_done = is_done and bool(operation.result)
        told = [*filter(None, [ASKED.get(kind), DONE.get(kind) if is_done else None])]
        if operation.result.get("outcome") in {"taken_late", "not_allowed_late"}:
            told.append("subscription.undone")
    return told + _told_of_failure(operation)


def _told_of_failure(operation: StripeOperation) -> list[str]:
    if operation.state != OperationState.FAILED:
        return []
    code = outcome_in(operation.result)["code"]
    # A card that may not be saved has a row of its own.
    if operation.kind in SET_UPS and code == Outcome.NOT_ALLOWED:
        return []
    if operation.payment_link_id is not None:
        return [] if code in ABANDONED else ["payment_link.card_failed"]
    return ["billing.act_abandoned" if code in ABANDONED else "billing.act_failed"]


def _told_of_method(operation: StripeOperation) -> list[str]:
    by_link, outcome = operation.payment_link_id is not None, operation.result.get("outcome")
    told = ["card.setup_started"] if operation.kind in SET_UPS and not by_link else []
    if outcome in MADE_TO_PAY:
        told.append("card.added_by_link" if by_link else "card.updated")
    if outcome == Outcome.ADDED:
        told.append("card.added")
    if outcome == Outcome.NOT_ALLOWED:
        told.append("payment_link.card_refused" if by_link else "card.refused")
    return told


def assert_plan_changes_are_true(people: int) -> None:
    """What was charged is what was accepted, nothing failed that was made, and each is told of once."""
    changes = list(StripeOperation.objects.filter(kind__in=PLAN_CHANGES))
    for operation in changes:
        assert "difference" not in operation.result
        made = operation.result.get("outcome") in {"made", "planned", "undone"}
        assert made == (operation.state == OperationState.DONE), operation.result
        offer = operation.params.get("offer", {})
        if operation.kind == "change_plan" and made and not offer["in_trial"]:
            invoice = Invoice.objects.get(stripe_id=operation.stripe_id)
            assert (invoice.total, invoice.amount_due) == (offer["total"], offer["amount_due"])
    done = [operation for operation in changes if operation.state == OperationState.DONE]
    charged = [one.stripe_id for one in done if one.kind == "change_plan" and one.stripe_id]
    assert len(set(charged)) == len(charged)
    assert OutgoingEmail.objects.filter(kind="plan_changed").count() == people * len(done)


def assert_payments_are_told(simulator: Simulator) -> None:
    """Each press has its row, what was told as paid was received once, and each charge has an invoice."""
    presses = StripeOperation.objects.filter(kind=OperationKind.PAY_INVOICE)
    assert AuditEvent.objects.filter(action=PAYMENT_STARTED.code).count() == presses.count()
    received = Counter(
        AuditEvent.objects.filter(action=INVOICE_PAID.code).values_list("target_id", flat=True)
    )
    assert set(received.values()) <= {1}
    for press in presses:
        if payment_outcomes.outcome_of(press) is payment_outcomes.Outcome.PAID:
            assert received[press.params["invoice"]] == 1
    payments = simulator.store.select("invoice_payment")
    invoiced = {one["payment"]["payment_intent"] for one in payments if one["status"] == "paid"}
    charges = simulator.store.select("charge")
    assert {one["payment_intent"] for one in charges if one["status"] == "succeeded"} <= invoiced


def assert_mails_are_true(events: list[dict[str, Any]], people: int) -> None:
    """A mail of failure for each attempt that failed, as far as it was seen, and for none other."""
    failed = {
        (event["data"]["object"]["id"], event["data"]["object"]["attempt_count"])
        for event in events
        if event["type"] == "invoice.payment_failed"
    }
    stripe_ids = {str(row.pk): row.stripe_id for row in Invoice.objects.only("stripe_id")}
    mails = OutgoingEmail.objects.filter(kind="payment_failed")
    each = Counter(mail.dedupe_key.removeprefix("payment_failed:").rsplit(":", 1)[0] for mail in mails)
    told = {":".join(attempt.split(":")[:2]) for attempt in each}
    assert {mail.params["invoice_id"] for mail in mails} <= stripe_ids.keys()
    assert told <= {f"{invoice}:{attempt}" for invoice, attempt in failed}
    # One of them may have pressed, and read it on the page.
    assert set(each.values()) <= {people, people - 1}
    for row in Invoice.objects.open():
        if (row.stripe_id, row.attempt_count) in failed and state_of(row) not in UNDECIDED:
            assert f"{row.stripe_id}:{row.attempt_count}" in told
    saved = StripeOperation.objects.filter(result__outcome=Outcome.UPDATED)
    for kind, by_link in (("card_updated", False), ("card_added_by_link", True)):
        made = saved.filter(payment_link__isnull=not by_link)
        assert OutgoingEmail.objects.filter(kind=kind).count() == people * made.count()


def assert_purchases_are_as_told(simulator: Simulator, people: int) -> None:
    """Of what was bought there is an operation, and it says whether the subscription stayed."""
    purchases = StripeOperation.objects.filter(kind=OperationKind.START_SUBSCRIPTION)
    ends = {str(one.pk): one for one in purchases}
    listed = simulator.store.select("subscription")
    going_on = [body for body in listed if body["status"] not in ENDED]
    for body in listed:
        operation = ends.get(body["metadata"].get("portal_operation", ""))
        if operation is not None and operation.state == OperationState.FAILED:
            assert body["status"] == "canceled"
            assert "outcome" in operation.result
        elif operation is not None and body in going_on:
            # What Stripe's dashboard adds comes later.
            assert body["created"] == min(other["created"] for other in going_on)
    started = [one for one in ends.values() if one.state == OperationState.DONE]
    assert AuditEvent.objects.filter(action="subscription.started").count() == len(started)
    assert OutgoingEmail.objects.filter(kind="subscription_started").count() == people * len(started)
    changed = StripeOperation.objects.filter(kind__in=ENDING_KINDS, state=OperationState.DONE).count()
    told = AuditEvent.objects.filter(action__in=["subscription.ending", "subscription.kept"])
    assert told.count() == changed
