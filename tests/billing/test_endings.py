"""Canceling a subscription at the end of its period, and keeping it after all."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from billing.endings import Obstacle, ending_of
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import BillingAccount, OperationState, StripeOperation, Subscription
from billing.operations.endings import cancel_subscription, keep_subscription
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Denied, Role
from orgs.services import change_role
from outbox.models import OutgoingEmail
from tests.billing.factories import SubscriptionFactory, document, line
from tests.billing.world import StripeWorld, sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.invitations.pages import text
from tests.races import at_once

pytestmark = pytest.mark.django_db

SCHEDULE = {"id": "sub_sched_1", "phases": []}
PHASE_TO_COME = {
    "starts": "2100-01-01T00:00:00+00:00",
    "items": [{"lookup_key": "team-growth-monthly", "description": "", "quantity": 1}],
}

KEY = "enterprise-growth-yearly"


@pytest.fixture
def subscription(stripe: StripeWorld, account: BillingAccount) -> Subscription:
    stripe.attach_default(account)
    stripe.api.subscriptions.create(
        {"customer": account.stripe_customer_id, "items": [{"price": stripe.price(lookup_key=KEY)}]}
    )
    sync_subscriptions(account)
    return Subscription.objects.get()


def url(subscription: Subscription, act: str = "cancel") -> str:
    return f"/orgs/{subscription.organization.slug}/settings/billing/subscriptions/{subscription.pk}/{act}/"


def shown(subscription: Subscription) -> str:
    assert subscription.period_end is not None
    return subscription.period_end.isoformat()


def cancel(actor: Membership, subscription: Subscription) -> StripeOperation:
    return cancel_subscription(
        actor=actor,
        subscription_id=subscription.pk,
        shown_end=shown(subscription),
        feedback="too_expensive",
        comment="We need it for a season only.",
    )


def keep(actor: Membership, subscription: Subscription) -> StripeOperation:
    return keep_subscription(actor=actor, subscription_id=subscription.pk, shown_end=shown(subscription))


def at_stripe(stripe: StripeWorld, subscription: Subscription) -> Any:
    return stripe.api.subscriptions.retrieve(subscription.stripe_id)


def press(client: Client, subscription: Subscription, act: str = "cancel", **data: str) -> Any:
    return client.post(url(subscription, act), {"shown_end": shown(subscription), **data}, follow=True)


def test_the_form_says_what_ends_when_and_does_it(
    billing_manager: Membership, stripe: StripeWorld, subscription: Subscription, sign_in: SignIn
) -> None:
    client = sign_in(billing_manager)
    page = text(client.get(url(subscription)))
    assert "Cancel Enterprise Growth on " in page
    assert "has the terms of Team Growth afterwards" in page
    assert f'value="{shown(subscription)}"' in page
    answer = press(client, subscription, feedback="missing_features", comment="SAML")
    assert "The subscription ends on " in text(answer)
    assert "Keep subscription" in text(answer)
    assert "Cancel subscription" not in text(answer)
    ending = at_stripe(stripe, subscription)
    assert ending.cancel_at_period_end
    assert (ending.cancellation_details.feedback, ending.cancellation_details.comment) == (
        "missing_features",
        "SAML",
    )


@pytest.mark.slow
def test_keeping_it_undoes_the_end(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, sign_in: SignIn
) -> None:
    cancel(admin, subscription)
    client = sign_in(admin)
    assert "Its price is $20.00 a month, before discounts and tax." in text(
        client.get(url(subscription, "keep"))
    )
    assert "The subscription goes on. It renews on " in text(press(client, subscription, "keep"))
    assert at_stripe(stripe, subscription).cancel_at is None
    subscription.refresh_from_db()
    assert subscription.ends_at is None


def test_each_act_is_audited_once_and_told_to_all_who_may(
    admin: Membership, billing_manager: Membership, member: Membership, subscription: Subscription
) -> None:
    cancel(billing_manager, subscription)
    keep(admin, subscription)
    sweep_everything()
    told = AuditEvent.objects.filter(action__in=["subscription.ending", "subscription.kept"])
    assert [(event.action, event.actor_id) for event in told.order_by("id")] == [
        ("subscription.ending", billing_manager.user_id),
        ("subscription.kept", admin.user_id),
    ]
    assert told.get(action="subscription.ending").data["feedback"] == "too_expensive"
    mails = OutgoingEmail.objects.filter(kind__startswith="subscription_")
    both = [admin.user.email, billing_manager.user.email]
    assert sorted((mail.kind, mail.to) for mail in mails) == sorted(
        (kind, to) for kind in ("subscription_ending", "subscription_kept") for to in both
    )


def test_it_ends_with_its_period_and_the_edition_goes_back(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, account: BillingAccount
) -> None:
    cancel(admin, subscription)
    stripe.control.advance(days=32)
    sync_subscriptions(account)
    admin.organization.refresh_from_db()
    subscription.refresh_from_db()
    assert (subscription.status, admin.organization.edition_code) == ("canceled", "team-growth")
    with pytest.raises(Subscription.DoesNotExist):
        keep(admin, subscription)


def test_a_reason_is_of_the_list_and_not_endless(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, sign_in: SignIn
) -> None:
    for wrong in ({"feedback": "nonsense"}, {"comment": "x" * 501}):
        assert press(sign_in(admin), subscription, **wrong).status_code == 422
    assert not at_stripe(stripe, subscription).cancel_at_period_end
    assert not StripeOperation.objects.exists()


@pytest.mark.parametrize("stale", ["2020-01-01T00:00:00+00:00", "", "x"])
def test_a_period_that_the_page_did_not_show_shows_it_anew(
    stale: str, admin: Membership, stripe: StripeWorld, subscription: Subscription, sign_in: SignIn
) -> None:
    answer = sign_in(admin).post(url(subscription), {"shown_end": stale})
    assert answer.status_code == 409
    assert "The subscription has changed since. Nothing was done." in text(answer)
    assert not at_stripe(stripe, subscription).cancel_at_period_end


def test_a_renewal_that_the_portal_has_not_heard_of_cancels_nothing(
    admin: Membership, stripe: StripeWorld, subscription: Subscription
) -> None:
    """Else it would end a period later than the page said."""
    stripe.control.advance(days=32)
    operation = cancel(admin, subscription)
    assert (operation.state, operation.result) == (OperationState.FAILED, {"outcome": "changed"})
    assert not at_stripe(stripe, subscription).cancel_at_period_end
    assert not OutgoingEmail.objects.filter(kind="subscription_ending").exists()


def test_canceling_what_is_to_end_already_is_asked_anew(
    admin: Membership,
    billing_manager: Membership,
    stripe: StripeWorld,
    subscription: Subscription,
    sign_in: SignIn,
) -> None:
    cancel(admin, subscription)
    answer = press(sign_in(billing_manager), subscription)
    assert "to end already" in text(answer)
    assert AuditEvent.objects.filter(action="subscription.ending").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_cancels(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld, subscription: Subscription
) -> None:
    def attempt(actor: Membership) -> None:
        with suppress(Refused):
            cancel(actor, subscription)

    at_once(lambda: attempt(admin), lambda: attempt(billing_manager))
    sweep_everything()
    assert StripeOperation.objects.filter(state="done").count() == 1
    assert AuditEvent.objects.filter(action="subscription.ending").count() == 1


def test_who_may_not_changes_nothing(
    admin: Membership, member: Membership, billing_manager: Membership, subscription: Subscription
) -> None:
    with pytest.raises(Denied):
        cancel(member, subscription)
    change_role(actor=admin, membership_id=billing_manager.pk, role=Role.MEMBER)
    with pytest.raises(Denied):
        cancel(billing_manager, subscription)
    elsewhere = MembershipFactory(role=Role.ADMIN)
    with pytest.raises(Subscription.DoesNotExist):
        cancel(elsewhere, subscription)


def test_without_an_answer_it_is_noted_and_done_later(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, sign_in: SignIn
) -> None:
    stripe.control.fail(503, count=10)
    answer = text(press(sign_in(admin), subscription))
    assert "what becomes of the change of the subscription." in answer
    assert "A change is on its way to Stripe." in answer
    assert "Cancel subscription" not in answer
    with pytest.raises(Refused, match="on its way"):
        cancel(admin, subscription)
    stripe.control.clear_faults()
    sweep_everything()
    assert at_stripe(stripe, subscription).cancel_at_period_end
    assert AuditEvent.objects.filter(action="subscription.ending").count() == 1


@pytest.mark.parametrize("kind", ["drop", "stored"])
def test_an_answer_lost_after_the_work_does_nothing_twice(
    kind: str, admin: Membership, stripe: StripeWorld, subscription: Subscription
) -> None:
    path = f"/v1/subscriptions/{subscription.stripe_id}"
    if kind == "drop":
        stripe.control.drop(method="POST", path=path)
    else:
        stripe.control.fail(500, method="POST", path=path, when="after", stored=True)
    assert cancel(admin, subscription).state == OperationState.PENDING
    sweep_everything()
    assert StripeOperation.objects.get().state == OperationState.DONE
    assert AuditEvent.objects.filter(action="subscription.ending").count() == 1
    assert len(stripe.calls("POST", path)) == 1


def test_stripes_refusal_is_told(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, sign_in: SignIn
) -> None:
    stripe.control.fail(400, method="POST", path=f"/v1/subscriptions/{subscription.stripe_id}")
    assert "Stripe refused the change. Nothing was done." in text(press(sign_in(admin), subscription))
    subscription.refresh_from_db()
    assert subscription.ends_at is None


ITEM = {"lookup_key": KEY, "period_end": "2026-12-01T00:00:00+00:00"}
LATER = {"lookup_key": KEY, "period_end": "2027-12-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("fields", "obstacle"),
    [
        ({}, None),
        ({"status": "past_due"}, None),
        ({"status": "incomplete"}, Obstacle.NOT_RUNNING),
        ({"status": "paused"}, Obstacle.NOT_RUNNING),
        ({"status": "unheard_of"}, Obstacle.NOT_RUNNING),
        ({"schedule": SCHEDULE}, Obstacle.SCHEDULED),
        ({"schedule": {**SCHEDULE, "phases": [PHASE_TO_COME]}}, Obstacle.PLANNED),
        ({"items": [{**ITEM, "lookup_key": "special"}]}, Obstacle.UNKNOWN_PRICE),
        ({"items": [ITEM, LATER]}, Obstacle.MIXED),
        ({"cancel_at": datetime(2026, 12, 24, tzinfo=UTC)}, Obstacle.END_SET),
        ({"cancel_at": datetime(2026, 12, 1, tzinfo=UTC), "cancel_at_period_end": True}, None),
    ],
)
def test_what_stands_in_the_way(fields: dict[str, Any], obstacle: Obstacle | None) -> None:
    given = {"items": [ITEM], **fields}
    assert ending_of(SubscriptionFactory.build(organization=None, **given)).obstacle is obstacle


def test_an_obstacle_is_told_in_place_of_the_link(
    admin: Membership, account: BillingAccount, sign_in: SignIn
) -> None:
    managed = SubscriptionFactory(organization=admin.organization, schedule=SCHEDULE)
    client = sign_in(admin)
    page = text(client.get(f"/orgs/{admin.organization.slug}/settings/billing/"))
    assert "Changes of it are planned already." in page
    assert "Cancel subscription" not in page
    assert "Changes of it are planned already." in text(press(client, managed))
    assert not StripeOperation.objects.exists()


def test_what_waits_for_the_last_invoice_is_told_and_surplus_managers_too(
    admin: Membership, account: BillingAccount, sign_in: SignIn
) -> None:
    waiting = {**vars(line("On-demand credits", 4_200)), "item": "ii_1"}
    given = document([line("Growth", 20_000)])
    given["lines"].append(waiting)
    MembershipFactory.create_batch(2, organization=admin.organization, role=Role.BILLING_MANAGER)
    row = SubscriptionFactory(organization=admin.organization)
    row.preview = {**row.preview, "document": given}
    row.save()
    page = text(sign_in(admin).get(url(row)))
    assert "On-demand credits: $42.00" in page
    assert "Growth: $200.00" not in page
    assert "Team Growth has room for 1 billing manager, and there are 2." in page


def test_several_subscriptions_end_each_on_their_own(
    admin: Membership, account: BillingAccount, sign_in: SignIn
) -> None:
    rows = SubscriptionFactory.create_batch(2, organization=admin.organization)
    page = text(sign_in(admin).get(f"/orgs/{admin.organization.slug}/settings/billing/"))
    assert all(url(row) in page for row in rows)
    assert "has the terms of" not in text(sign_in(admin).get(url(rows[0])))
