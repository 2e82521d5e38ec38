"""Whatever is asked of Stripe and comes to nothing is told: in the log, and to the person who pressed."""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.db import models
from django.utils import timezone

from audit.models import AuditEvent
from billing import card_outcomes, change_outcomes, payment_outcomes, purchase_outcomes
from billing.failures import ABANDONED, REASONS, failure_words
from billing.gateway import GatewayForbidden, GatewayRefused, person_waits
from billing.models import OperationKind, StripeOperation
from billing.operations import life
from billing.operations.life import Kind, resume
from orgs.models import Membership
from orgs.policy import Role
from orgs.services import Change, change_settings
from outbox.models import OutgoingEmail
from outbox.registry import renderer_of
from tests.billing.factories import BillingAccountFactory
from tests.billing.plans import Customer, operation, text_of
from tests.billing.test_plan_failures import MORE, sweep_everything
from tests.billing.world import StripeWorld
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db

REFUSED = GatewayRefused("resource_missing", "No such thing.")
FORBIDDEN = GatewayForbidden("No.", scope="rak_customer_write")


def begun(kind: str, actor: Membership, **values: Any) -> StripeOperation:
    return StripeOperation.objects.create(
        organization=actor.organization,
        kind=kind,
        idempotency_key=life.new_key(),
        actor_id=actor.user_id,
        actor_name=actor.user.name,
        stripe_id="at_stripe_1",
        **values,
    )


def ends_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first step of each kind end so."""

    def step(_operation: StripeOperation) -> None:
        raise error

    monkeypatch.setattr(life, "_kinds", {kind: Kind({"create": step}, None) for kind in life._kinds})


def told_by_mail() -> list[str]:
    return list(OutgoingEmail.objects.filter(kind="act_failed").values_list("to", flat=True))


@pytest.mark.parametrize("error", [REFUSED, FORBIDDEN], ids=["refused", "forbidden"])
@pytest.mark.parametrize("kind", OperationKind)
@pytest.mark.parametrize("is_press", [True, False], ids=["press", "sweep"])
def test_each_kind_that_fails_leaves_a_row_and_a_mail_where_nobody_waits(
    is_press: bool,
    kind: OperationKind,
    error: GatewayRefused,
    billing_manager: Membership,
    admin: Membership,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert kind in life._kinds
    ends_with(error, monkeypatch)
    failed = begun(kind, billing_manager)
    with person_waits() if is_press else nullcontext():
        assert resume(failed.pk).state == "failed"
    event = AuditEvent.objects.get(action="billing.act_failed")
    assert (event.actor_id, event.target_id) == (billing_manager.user_id, str(failed.pk))
    code, reason = ("forbidden", "") if error is FORBIDDEN else ("refused", "resource_missing")
    assert event.data == {"act": kind, "outcome": {"code": code, "reason": reason}}
    assert event.sentence
    # Of a customer that can't be made, another act tells; for on-demand credits nobody has pressed.
    unpressed = {OperationKind.CREATE_CUSTOMER, OperationKind.INVOICE_ON_DEMAND}
    is_told = not is_press and kind not in unpressed
    assert told_by_mail() == ([billing_manager.user.email] if is_told else [])


def codes(outcomes: type[models.TextChoices], good: Iterable[str]) -> set[str]:
    return set(outcomes.values) - set(good)


def test_every_outcome_has_its_words() -> None:
    every = (
        codes(change_outcomes.Outcome, ["made", "planned", "undone"])
        | codes(payment_outcomes.Outcome, ["paid", "on_its_way", "confirm", "unknown", "unread"])
        | codes(card_outcomes.Outcome, [*card_outcomes.GOOD, "unused"])
        | codes(purchase_outcomes.PurchaseOutcome, ["started"])
        | {"changed", "still_pays"}
    )
    assert every <= REASONS.keys()
    for code in REASONS:
        assert "since" in failure_words({"code": code, "reason": "insufficient_funds"})


@pytest.mark.slow
def test_a_change_that_was_noted_and_fails_later_is_told_by_mail_and_page(customer: Customer) -> None:
    customer.buy("team-pro", 3)
    page = customer.get(MORE)
    customer.stripe.control.fail(503, method="POST", path="/v1/subscriptions/*", when="before")
    customer.press(MORE, page=page)
    assert "Waiting for Stripe." in text_of(customer.get(""))
    assert told_by_mail() == []
    customer.clock.ahead += timedelta(hours=2)
    sweep_everything()
    asked = f"{operation().created_at:%-d %B %Y}"
    why = "It was not done, since Stripe did not answer in time. Try again."
    assert f"somebody asked to change the plan. {why}" in text_of(customer.get(""))
    (mail,) = OutgoingEmail.objects.filter(kind="act_failed")
    read = renderer_of(mail.kind)(mail)
    assert f"On {asked} you asked to change the plan, for" in read.text
    assert why in " ".join(read.text.split())
    assert mail.to == customer.reader.user.email
    # Done after all, it is no matter any more.
    customer.press(MORE)
    assert "somebody asked to" not in text_of(customer.get(""))


def test_a_week_later_the_page_says_no_more(billing_manager: Membership, sign_in: SignIn) -> None:
    BillingAccountFactory(organization=billing_manager.organization)
    for days, is_told in ((6, True), (8, False)):
        StripeOperation.objects.all().delete()
        begun(
            OperationKind.END_SUBSCRIPTION,
            billing_manager,
            state="failed",
            failed_unseen=True,
            finished_at=timezone.now() - timedelta(days=days),
        )
        page = sign_in(billing_manager).get(f"/orgs/{billing_manager.organization.slug}/settings/billing/")
        assert ("asked to cancel the subscription" in page.content.decode()) is is_told


def test_who_may_no_longer_see_billing_gets_no_mail_of_it(
    billing_manager: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends_with(REFUSED, monkeypatch)
    failed = begun(OperationKind.END_SUBSCRIPTION, billing_manager)
    Membership.objects.filter(pk=billing_manager.pk).update(role=Role.MEMBER)
    resume(failed.pk)
    assert AuditEvent.objects.filter(action="billing.act_failed").exists()
    assert told_by_mail() == []


@pytest.mark.parametrize("outcome", sorted(ABANDONED))
def test_a_page_that_was_left_is_in_the_log_and_nowhere_else(
    outcome: str, billing_manager: Membership
) -> None:
    life.fail(begun(OperationKind.START_SUBSCRIPTION, billing_manager), {"outcome": outcome})
    assert AuditEvent.objects.get().action == "billing.act_abandoned"
    assert not StripeOperation.objects.get().failed_unseen
    assert told_by_mail() == []


def test_a_customer_made_and_renamed_is_in_the_log(
    admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    sign_in(admin).post(f"/orgs/{admin.organization.slug}/settings/billing/card/")
    change_settings(actor=admin, changes={"name": Change(admin.organization.name, "Globex")})
    sweep_everything()
    done = AuditEvent.objects.filter(action__startswith="billing.customer").order_by("id")
    assert [event.action for event in done] == ["billing.customer_made", "billing.customer_renamed"]
    assert all(event.sentence for event in done)
