"""iDEAL and Bancontact pay once and set up a SEPA debit: that is what the portal saves, or nothing.

https://docs.stripe.com/payments/ideal/set-up-payment
"""

import uuid
from typing import Any

import pytest

from billing.card_outcomes import Outcome, outcome_of
from billing.models import BillingAccount, OperationState, StripeOperation
from billing.operations.cards import start_card_setup
from billing.operations.life import resume
from orgs.models import Membership
from tests.billing.world import StripeWorld

pytestmark = pytest.mark.django_db


def set_up(
    stripe: StripeWorld, actor: Membership, kind: str, generated: str | dict[str, Any] | None
) -> uuid.UUID:
    """A set-up that the person has completed by a payment of that kind. Returns the operation."""
    start_card_setup(actor=actor)
    operation = StripeOperation.objects.get(kind="set_up_card", state=OperationState.WAITING)
    session = stripe.api.checkout.sessions.retrieve(operation.stripe_id).to_dict(for_json=True)
    session["status"] = "complete"
    session["setup_intent"] = {
        "id": "seti_1",
        "object": "setup_intent",
        "status": "succeeded",
        "payment_method": {
            "id": "pm_once",
            "object": "payment_method",
            "type": kind,
            kind: {"bank": "ing"},
            "customer": None,
            "created": session["created"],
        },
        "latest_attempt": {
            "id": "setatt_1",
            "object": "setup_attempt",
            "status": "succeeded",
            "payment_method_details": {
                "type": kind,
                kind: {"generated_sepa_debit": generated, "generated_sepa_debit_mandate": "mandate_1"},
            },
        },
    }
    stripe.control.fail(200, body=session, method="GET", path=f"/v1/checkout/sessions/{operation.stripe_id}")
    return operation.pk


@pytest.mark.parametrize("kind", ["ideal", "bancontact"])
def test_what_can_be_charged_again_becomes_what_pays(
    kind: str, admin: Membership, stripe: StripeWorld
) -> None:
    start_card_setup(actor=admin)
    account = BillingAccount.objects.get()
    debit = stripe.api.payment_methods.attach("pm_card_visa", {"customer": account.stripe_customer_id})
    operation = resume(set_up(stripe, admin, kind, debit.id))
    assert (operation.state, outcome_of(operation)) == (OperationState.DONE, Outcome.UPDATED)
    assert stripe.default_card(account) == debit.id
    account.refresh_from_db()
    assert account.payment_method_id == account.chosen_payment_method_id == debit.id


def test_a_payment_that_set_up_nothing_is_not_saved(admin: Membership, stripe: StripeWorld) -> None:
    operation = resume(set_up(stripe, admin, "ideal", None))
    assert (operation.state, outcome_of(operation)) == (OperationState.FAILED, Outcome.REFUSED)
    account = BillingAccount.objects.get()
    assert (account.chosen_payment_method_id, stripe.default_card(account)) == ("", None)
