"""What needs a human stands in its queue, and only that, until it is right again or staff took it out."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench.statements import sent_statements
from billing.findings import note_drift, note_unknown_customer, note_unreadable
from billing.models import (
    BillingAccount,
    OperationKind,
    StripeCustomer,
    StripeEvent,
    StripeOperation,
    UnknownCustomer,
)
from orgs.models import Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from support import queues
from support.models import SettledRow
from support.queues import QUEUES, queue_counts, queue_page
from support.queues.base import Source
from support.queues.settling import forget_settled
from tests.billing.factories import BillingAccountFactory, CardSetupFactory, SubscriptionFactory
from tests.billing.on_demand import charge_of
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.factories import InvitationFactory
from tests.world import World

pytestmark = pytest.mark.django_db

OFFER = {"amount_due": 600_00, "currency": "usd"}


def event(state: str = "failed", **fields: Any) -> StripeEvent:
    number = StripeEvent.objects.count()
    values = {"event_id": f"evt_{number}", "type": "invoice.paid", "livemode": False, "payload": {}}
    return StripeEvent.objects.create(**{**values, "state": state, "error": "GatewayError: no", **fields})


def mail(state: str = "failed", **fields: Any) -> OutgoingEmail:
    number = OutgoingEmail.objects.count()
    values = {"kind": "invitation_sent", "to": "ada@ledger.test", "dedupe_key": str(number)}
    return OutgoingEmail.objects.create(**{**values, "state": state, **fields})


def operation(state: str = "failed", **fields: Any) -> StripeOperation:
    made: StripeOperation = CardSetupFactory(
        kind=OperationKind.CHANGE_PLAN,
        state=state,
        organization=fields.pop("organization", None) or led(),
        actor_id=uuid.uuid4(),
    )
    StripeOperation.objects.filter(pk=made.pk).update(**fields)
    return made


def led() -> Organization:
    """An organization that somebody runs."""
    return MembershipFactory(role=Role.ADMIN).organization


def waiting(code: str) -> int:
    return next(count.rows for count in queue_counts() if count.queue.code == code)


def row_of(code: str) -> queues.QueueRow:
    (row,) = queue_page(queue=code).rows
    return row


def test_nothing_waits_where_all_is_well(organization: Organization) -> None:
    MembershipFactory(organization=organization, role=Role.ADMIN)
    SubscriptionFactory(organization=organization)
    event("done"), mail("queued"), operation("done")
    assert [count.rows for count in queue_counts()] == [0] * len(QUEUES)
    assert queue_page().rows == []


def test_a_webhook_that_was_given_up_tells_its_organization_and_why() -> None:
    account = BillingAccountFactory(organization=led())
    parked = event(customer_id=account.stripe_customer_id)
    row = row_of("webhooks")
    assert (row.key, row.organization) == (parked.pk, account.organization)
    assert (row.what, row.why) == ("invoice.paid", "GatewayError: no")


def test_a_mail_that_failed_tells_to_whom() -> None:
    mail(error="SMTPRecipientsRefused: 550 5.1.1")
    row = row_of("mails")
    assert (row.what, row.why) == ("Invitation sent to ada@ledger.test", "SMTPRecipientsRefused: 550 5.1.1")


@pytest.mark.parametrize(
    ("later", "waits"),
    [
        ({"state": "queued"}, 0),
        ({"state": "failed"}, 2),
        ({"state": "queued", "to": "bob@ledger.test"}, 1),
        ({"state": "queued", "kind": "role_changed"}, 1),
        ({"state": "queued", "organization_id": None}, 1),
    ],
)
def test_a_mail_that_was_sent_again_needs_nobody(later: dict[str, Any], waits: int) -> None:
    first = mail(organization_id=led().pk)
    OutgoingEmail.objects.update(created_at=timezone.now() - timedelta(hours=1))
    mail(**{"organization_id": first.organization_id, **later})
    assert waiting("mails") == waits


@pytest.mark.parametrize(
    ("state", "fields", "is_there"),
    [
        ("failed", {"result": {"outcome": "refused"}}, True),
        ("failed", {"result": {"missing_scope": "invoices"}}, True),
        ("failed", {"result": {}}, True),
        ("failed", {"result": {"outcome": "declined"}}, False),
        ("failed", {"result": {"outcome": "expired"}}, False),
        ("pending", {"attempts": 10, "error": "503"}, True),
        ("pending", {"attempts": 9, "error": "503"}, False),
        ("done", {"result": {"outcome": "refused"}}, False),
    ],
)
def test_an_operation_waits_where_only_support_can_mend_it(
    state: str, fields: dict[str, Any], is_there: bool
) -> None:
    operation(state, **fields)
    assert waiting("operations") == is_there


def test_an_operation_that_was_done_since_needs_nobody() -> None:
    failed = operation(result={"outcome": "refused"})
    operation("done", organization=failed.organization)
    assert waiting("operations") == 0


def test_drift_is_kept_with_what_was_healed() -> None:
    organization = led()
    note_drift(organization, customers=0, subscriptions=1, invoices=2, on_demand=0)
    assert row_of("drift").what == "Healed: 1 subscription, 2 invoices"


def test_what_can_not_be_read_stays_until_it_can() -> None:
    organization = led()
    note_unreadable(organization, {"in_1": "KeyError", "in_2": "KeyError"})
    note_unreadable(organization, {"in_2": "ValueError"})
    row = row_of("drift")
    assert (row.what, row.why) == ("The portal can't read in_2", "KeyError")
    note_unreadable(organization, {})
    assert waiting("drift") == 0


def test_an_account_that_can_not_be_compared_waits_but_not_for_want_of_a_scope() -> None:
    account = BillingAccountFactory(organization=led())
    accounts = BillingAccount.objects.filter(pk=account.pk)
    for fields, is_there in (
        ({"attempts": 5, "error": "GatewayUnavailable: 503"}, True),
        ({"attempts": 4, "error": "GatewayUnavailable: 503"}, False),
        ({"attempts": 5, "error": "forbidden: Stripe's key lacks the scope invoices"}, False),
        ({"attempts": 5, "error": ""}, False),
    ):
        accounts.update(**fields)
        assert waiting("drift") == is_there, fields


def test_an_invoice_unlike_its_preview_tells_both_amounts() -> None:
    operation(
        "done", params={"offer": OFFER}, result={"difference": {"amount_due": 650_00, "currency": "usd"}}
    )
    row = row_of("previews")
    assert row.what.endswith("accepted $600.00")
    assert row.why == "Invoiced: $650.00."


@pytest.mark.parametrize(
    ("status", "key", "is_there"),
    [
        ("active", "somebody-elses", True),
        ("past_due", "somebody-elses", True),
        ("canceled", "somebody-elses", False),
        ("incomplete", "somebody-elses", False),
        ("active", None, False),
    ],
)
def test_a_price_that_no_edition_knows_waits_while_it_is_charged(
    status: str, key: str | None, is_there: bool
) -> None:
    subscription = SubscriptionFactory(organization=led(), status=status)
    if key is not None:
        subscription.items[0]["lookup_key"] = key
        subscription.save()
    assert waiting("prices") == is_there


def shut(organization: Organization) -> None:
    admin = organization.memberships.get()
    admin.user.is_active = False
    admin.user.save()


def without_way_in(organization: Organization) -> None:
    user = organization.memberships.get().user
    user.set_unusable_password()
    user.save()
    user.emailaddress_set.update(verified=False)


def demoted(organization: Organization) -> None:
    organization.memberships.update(role=Role.MEMBER)


@pytest.mark.parametrize("lose", [shut, without_way_in, demoted])
def test_an_organization_waits_that_no_admin_can_sign_in_to(lose: Callable[[Organization], None]) -> None:
    organization = led()
    lose(organization)
    assert row_of("admins").organization == organization
    Organization.objects.update(closes_after=timezone.now().date(), closed_at=timezone.now())
    assert waiting("admins") == 0


def test_a_verified_address_is_a_way_in() -> None:
    organization = led()
    without_way_in(organization)
    assert waiting("admins") == 1
    organization.memberships.get().user.emailaddress_set.update(verified=True)
    assert waiting("admins") == 0


def test_an_invited_admin_is_awaited_while_the_invitation_can_be_accepted() -> None:
    organization = OrganizationFactory(invitation_max_age_days=7)
    inviter = MembershipFactory(organization=organization, role=Role.MEMBER)
    invitation = InvitationFactory(organization=organization, role=Role.MEMBER, inviter=inviter)
    assert waiting("admins") == 1
    invitation.role = Role.ADMIN
    invitation.save()
    assert waiting("admins") == 0
    invitation.sent_at = timezone.now() - timedelta(days=8)
    invitation.save()
    assert waiting("admins") == 1


def test_a_subscription_that_outlives_its_organization_waits() -> None:
    subscription = SubscriptionFactory(organization=led())
    organization = subscription.organization
    organization.closes_after, organization.closed_at = timezone.now().date(), timezone.now()
    organization.save()
    assert row_of("paying").what == subscription.stripe_id
    subscription.status = "canceled"
    subscription.save()
    assert waiting("paying") == 0


def heard(kind: str, **subject: Any) -> None:
    note_unknown_customer(
        event("ignored", type=kind, customer_id="cus_x", payload={"data": {"object": subject}})
    )


def test_a_customer_of_no_organization_waits_while_they_pay() -> None:
    heard("customer.updated")
    heard("invoice.paid", amount_paid=0)
    heard("customer.subscription.created", status="incomplete")
    assert waiting("paying") == 0
    heard("invoice.paid", amount_paid=5)
    heard("customer.subscription.updated", status="active")
    assert row_of("paying").why == "Stripe told of invoice.paid for a customer of no organization."
    StripeCustomer.objects.create(stripe_id="cus_x", organization=led())
    assert waiting("paying") == 0
    StripeCustomer.objects.all().delete()
    heard("customer.subscription.deleted")
    assert not UnknownCustomer.objects.exists()


def test_all_queues_are_one_list_oldest_first_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "PAGE", 2)
    now = timezone.now()
    for days, make in enumerate((mail, event, mail, event, mail)):
        row = make()
        time = "created_at" if make is mail else "received_at"
        type(row).objects.filter(pk=row.pk).update(**{time: now - timedelta(days=days)})
    seen: list[queues.QueueRow] = []
    after = ""
    while not seen or after:
        page = queue_page(after=after)
        seen, after = [*seen, *page.rows], page.after
        assert len(seen) <= 5
    assert [row.queue.code for row in seen] == ["mails", "webhooks", "mails", "webhooks", "mails"]
    assert [row.at for row in seen] == sorted(row.at for row in seen)
    assert len({row.name for row in seen}) == 5


def test_the_page_takes_as_many_statements_for_one_row_as_for_many(world: World) -> None:
    counts = []
    for more in (1, 10):
        for _number in range(more):
            event(customer_id=BillingAccountFactory(organization=led()).stripe_customer_id)
            mail(), operation(result={})
        world.staff.get(reverse("admin:support_queues"))
        with sent_statements() as statements:
            assert world.staff.get(reverse("admin:support_queues")).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 12


@pytest.mark.parametrize(
    "query", ["queue=x", "after=x", "after=2026-11-01~mail~x", "after=~~", "queue=mails"]
)
def test_an_odd_question_shows_a_page(query: str, world: World) -> None:
    assert world.staff.get(f"{reverse('admin:support_queues')}?{query}").status_code == 200


def settle(client: Client, name: str, *, shown: str = "") -> str:
    url = reverse("admin:act_settle_row", args=[name])
    form = {"ticket": "48213", "reason": "Wrong address, told by phone", "shown": shown}
    form["shown"] = shown or client.get(url).context["form"]["shown"].value()
    answer = client.post(url, form, follow=True)
    return str(answer.content.decode())


def test_staff_take_a_row_out_and_it_comes_back_if_it_comes_up_again(world: World) -> None:
    organization = world.organization
    note_drift(organization, customers=1, subscriptions=0, invoices=0, on_demand=0)
    name = row_of("drift").name
    assert "It is out of the queue." in settle(world.staff, name)
    assert waiting("drift") == 0
    assert "A colleague has taken it out" in settle(world.billing_support, name)
    note_drift(organization, customers=1, subscriptions=0, invoices=0, on_demand=0)
    assert waiting("drift") == 1
    assert "It is out of the queue." in settle(world.staff, name)
    assert SettledRow.objects.count() == 1
    told = world.clients[Role.ADMIN].get(reverse("audit_log", args=[organization.slug])).content.decode()
    assert "looked into what had not come from Stripe and found nothing more to do" in told


def test_what_came_up_again_while_the_dialog_stood_open_stays(world: World) -> None:
    note_drift(world.organization, customers=1, subscriptions=0, invoices=0, on_demand=0)
    row = row_of("drift")
    shown = (row.at - timedelta(minutes=1)).isoformat()
    assert "It came up again meanwhile." in settle(world.staff, row.name, shown=shown)
    assert waiting("drift") == 1


def test_what_was_right_meanwhile_comes_back_also_where_its_time_is_the_same(world: World) -> None:
    others = waiting("admins")
    alone = OrganizationFactory()
    assert "It is out of the queue." in settle(world.staff, f"organization~{alone.pk}")
    forget_settled()
    assert waiting("admins") == others
    admin = MembershipFactory(organization=alone, role=Role.ADMIN)
    forget_settled()
    admin.delete()
    assert waiting("admins") == others + 1


def test_a_row_of_nobody_is_told_to_no_organization(world: World) -> None:
    heard("invoice.paid", amount_paid=5)
    assert "It is out of the queue." in settle(world.staff, row_of("paying").name)
    assert waiting("paying") == 0


@pytest.mark.parametrize("name", ["x", "mail", "mail~x", "drift~9", "~"])
def test_what_is_in_no_queue_can_not_be_taken_out(name: str, world: World) -> None:
    assert world.staff.get(reverse("admin:act_settle_row", args=[name])).status_code == 404


def test_the_page_tells_what_the_key_at_stripe_may_not(world: World) -> None:
    BillingAccount.objects.update(error="forbidden: Stripe's key lacks the scope invoices.read.")
    page = world.staff.get(reverse("admin:support_queues")).content.decode()
    assert "lacks the scope invoices.read" in page


def test_acts_are_offered_to_who_may_do_them(world: World) -> None:
    nobodys = mail()
    page = world.staff.get(reverse("admin:support_queues"), {"queue": "mails"}).content.decode()
    assert reverse("admin:act_settle_row", args=[row_of("mails").name]) in page
    assert reverse("admin:act_send_mail_again", args=[nobodys.pk]) not in page


@pytest.mark.parametrize("source", queues.SOURCES.values(), ids=lambda source: source.code)
def test_each_row_leads_to_what_mends_it(source: Source) -> None:
    assert source.acts or source.organization_acts or source.at_stripe or source.mended_on
    assert not source.at_stripe or source.at_stripe in source.facts


def test_what_only_stripe_can_mend_leads_there(world: World) -> None:
    heard("invoice.paid", amount_paid=5)
    offered = operation(params={"offer": OFFER}, result={"difference": {**OFFER, "amount_due": 700_00}})
    BillingAccountFactory(organization=offered.organization, stripe_customer_id="cus_offered")
    page = world.staff.get(reverse("admin:support_queues")).content.decode()
    for customer in ("cus_x", "cus_offered"):
        assert f'href="https://dashboard.stripe.com/test/customers/{customer}"' in page
    # Who has no account at Stripe yet has nothing there.
    BillingAccount.objects.filter(organization=offered.organization).delete()
    assert "cus_offered" not in world.staff.get(reverse("admin:support_queues")).content.decode()


def test_charges_that_stripe_lacks_lead_to_the_page_that_asks_for_them(world: World) -> None:
    organization = BillingAccountFactory(organization=led(), stripe_customer_id="cus_1").organization
    since = (timezone.now() - timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    charge_of(organization, since=since, until=since + timedelta(hours=1), created_at=since)
    page = world.staff.get(reverse("admin:support_queues"), {"queue": "on_demand"}).content.decode()
    assert f'href="{reverse("admin:on_demand")}"' in page
