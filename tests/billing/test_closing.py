"""Closing an organization: read-only for 30 days, its subscription let end, undone by a press, then gone."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from audit.services import Actor, record
from billing import gateway
from billing.closings import closing_version
from billing.mirror.subscriptions import sync_subscriptions
from billing.models import BillingAccount, OperationState, StripeOperation, Subscription
from billing.operations import closing as verbs
from billing.operations.closing import close_due, close_organization, undo_closing
from hooks.models import Delivery
from hooks.tasks import delete_old
from invitations.models import Invitation, State
from orgs.actions import MEMBERSHIP_LEFT
from orgs.closing import remind_of_closing
from orgs.dates import day
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Denied, Permission, Role, may
from orgs.services import create_organization, leave
from outbox.models import OutgoingEmail
from tests.api.program import is_problem, program_of, program_of_organization
from tests.api.program import told as answered
from tests.billing.factories import InvoiceFactory
from tests.billing.world import StripeWorld, sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.hooks.factories import EndpointFactory
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import text
from tests.races import at_once
from tests.tokens.factories import AccessTokenFactory
from tests.world import signed_in
from tokens.models import AccessToken

pytestmark = pytest.mark.django_db

KEY = "enterprise-growth-yearly"
SCOPES = (Permission.ORGANIZATION_VIEW, Permission.MEMBERS_LIST, Permission.TEAMS_MANAGE)


@pytest.fixture
def subscription(stripe: StripeWorld, account: BillingAccount) -> Subscription:
    stripe.attach_default(account)
    stripe.api.subscriptions.create(
        {"customer": account.stripe_customer_id, "items": [{"price": stripe.price(lookup_key=KEY)}]}
    )
    sync_subscriptions(account)
    return Subscription.objects.get()


def url(organization: Organization, name: str = "organization_close") -> str:
    return reverse(name, args=[organization.slug])


def close(actor: Membership) -> StripeOperation | None:
    operation = close_organization(actor=actor, shown=closing_version(actor.organization))
    actor.organization.refresh_from_db()
    return operation


def undo(actor: Membership) -> StripeOperation | None:
    return undo_closing(actor=actor, shown=str(actor.organization.closes_after))


def let_time_pass(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(
        closes_after=timezone.now().date() - timedelta(days=1)
    )


def ends(stripe: StripeWorld, subscription: Subscription) -> bool:
    return bool(stripe.api.subscriptions.retrieve(subscription.stripe_id).cancel_at_period_end)


def told(kind: str) -> set[str]:
    return set(OutgoingEmail.objects.filter(kind=kind).values_list("to", flat=True))


def actions(*prefixes: str) -> list[str]:
    found = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    return [action for action in found if action.startswith(prefixes)]


def test_the_page_says_what_ends_what_is_owed_and_closes_what_it_showed(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, sign_in: SignIn
) -> None:
    organization, client = admin.organization, sign_in(admin)
    InvoiceFactory(organization=organization, status="open", amount_remaining=5825)
    InvitationFactory(organization=organization, inviter=admin)
    page = text(client.get(url(organization)))
    assert "Enterprise Growth is canceled: it ends on " in page
    assert "$58.25</strong> on 1 open invoice." in page
    assert "1 pending invitation is revoked." in page
    # As *authorize* answers it.
    assert "Nobody can change anything any more, here or in the product." in page
    stale = closing_version(organization)
    InvoiceFactory(organization=organization, status="open", amount_remaining=1)
    refused = client.post(url(organization), {"shown": stale})
    assert refused.status_code == 409
    assert "has changed since. Nothing was done." in text(refused)
    assert not Organization.objects.closing().exists()
    answer = client.post(url(organization), {"shown": closing_version(organization)}, follow=True)
    assert "The subscription ends with its period, and does not renew." in text(answer)
    assert f"{organization.name} closes after" in text(answer)
    assert ends(stripe, subscription)
    assert Invitation.objects.get().state == State.REVOKED
    # Pressed twice.
    assert client.post(url(organization), {"shown": "x"}).status_code == 302
    assert actions("organization.closing") == ["organization.closing_begun"]
    assert actions("subscription.ending") == ["subscription.ending"]


def test_meanwhile_it_can_be_read_and_paid_for_and_the_refusal_says_why(
    admin: Membership, billing_manager: Membership, member: Membership, sign_in: SignIn
) -> None:
    Organization.objects.update(managers_manage_managers=True)
    close(admin)
    organization = admin.organization
    for person, open_, shut in (
        (admin, "members", "organization_settings"),
        (billing_manager, "billing", "billing_details"),
        (billing_manager, "billing", "managers_invite"),
    ):
        client = sign_in(person)
        assert "closes after" in text(client.get(url(organization, open_)))
        refusal = client.get(url(organization, shut))
        assert refusal.status_code == 403
        assert f"{organization.name} is closing. Until it is closed it can be read" in text(refusal)
        assert ("Undo closing" in text(refusal)) is (person is admin)
    billing_manager = Membership.objects.get(pk=billing_manager.pk)
    assert may(billing_manager, Permission.BILLING_INVOICES_PAY)
    # A secret that somebody dismissed knows can be ended: a token's, a webhook's.
    assert "closes after" in text(sign_in(member).get(url(organization, "tokens")))
    assert sign_in(admin).get(url(organization, "webhook_new")).status_code == 200
    assert "Ask for access" not in text(sign_in(member).get(url(organization, "audit_log")))


def test_programs_read_on_and_are_told_why_they_can_change_nothing(admin: Membership) -> None:
    organization = admin.organization
    programs = program_of(admin, *SCOPES), program_of_organization(organization, *SCOPES)
    may_question = f"authorize?user={admin.user_id}&permission=stacks.manage"
    for change, status in ((None, 201), (close, 403), (undo, 201)):
        if change is not None:
            change(admin)
        for program in programs:
            assert answered(program.get(""))["slug"] == organization.slug
            assert answered(program.get(may_question))["allowed"] is (status == 201)
            answer = program.post("teams", {"name": f"{change.__name__ if change else ''} {program.secret}"})
            assert answer.status_code == status
            if status == 403:
                assert (
                    "The organization is closing, so it can only be read."
                    in is_problem(answer, 403)["detail"]
                )


def test_one_press_on_any_page_undoes_it_and_the_subscription_goes_on(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, sign_in: SignIn
) -> None:
    close(admin)
    client = sign_in(admin)
    assert "Undo closing" in text(client.get(url(admin.organization, "dashboard")))
    outdated = client.post(url(admin.organization, "closing_undo"), {"shown": "2020-01-01"}, follow=True)
    assert "undone already, or begun anew" in text(outdated)
    shown = {"shown": str(admin.organization.closes_after)}
    answer = text(client.post(url(admin.organization, "closing_undo"), shown, follow=True))
    assert "The closing is undone." in answer
    assert "The subscription goes on." in answer
    assert not ends(stripe, subscription)
    assert actions("subscription.kept") == ["subscription.kept"]
    assert "undone already" in text(client.post(url(admin.organization, "closing_undo"), shown, follow=True))


def test_what_does_not_close_has_nothing_to_undo(admin: Membership, sign_in: SignIn) -> None:
    for shown in ("None", "", str(timezone.now().date())):
        answer = sign_in(admin).post(url(admin.organization, "closing_undo"), {"shown": shown}, follow=True)
        assert "undone already" in text(answer)
    assert actions("organization.closing") == []
    assert told("closing_undone") == set()


def test_undoing_keeps_what_the_closing_ended_and_nothing_else(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, account: BillingAccount
) -> None:
    stripe.api.subscriptions.update(subscription.stripe_id, {"cancel_at_period_end": True})
    sync_subscriptions(account)
    close(admin)
    undo(admin)
    assert ends(stripe, subscription)
    assert actions("subscription.ending", "subscription.kept") == []


def test_a_subscription_that_has_ended_must_be_bought_anew(
    admin: Membership,
    stripe: StripeWorld,
    subscription: Subscription,
    account: BillingAccount,
    sign_in: SignIn,
) -> None:
    close(admin)
    stripe.control.advance(days=32)
    sync_subscriptions(account)
    page = text(sign_in(admin).get(url(admin.organization)))
    assert "The subscription has ended. If you undo the closing, a new one must be bought." in page
    operation = undo(admin)
    assert operation is not None
    assert operation.result == {"kept": []}


def test_what_can_not_be_canceled_here_stands_in_the_way(
    admin: Membership, subscription: Subscription, sign_in: SignIn
) -> None:
    Subscription.objects.update(status="paused")
    answer = sign_in(admin).get(url(admin.organization))
    assert "can't be closed yet" in text(answer)
    assert "button danger" not in answer.content.decode()
    with pytest.raises(Refused, match="can't be canceled here"):
        close(admin)
    assert not Organization.objects.closing().exists()


def test_only_an_admin_closes_and_only_after_proving_themselves(
    admin: Membership, billing_manager: Membership
) -> None:
    for person in (billing_manager, MembershipFactory(organization=admin.organization, role=Role.MEMBER)):
        with pytest.raises(Denied):
            close(person)
    stale = signed_in(admin.user, ago=timedelta(hours=1))
    asked = stale.post(url(admin.organization), {"shown": closing_version(admin.organization)})
    assert "reauthenticate" in asked.headers["Location"]
    assert not Organization.objects.closing().exists()


def test_admins_and_who_sees_billing_are_told_at_each_step(
    admin: Membership, billing_manager: Membership, member: Membership
) -> None:
    both = {admin.user.email, billing_manager.user.email}
    close(admin)
    assert told("closing_begun") == both
    remind_of_closing()
    assert told("closing_nears") == set()
    undo(admin)
    assert told("closing_undone") == both
    close(admin)
    Organization.objects.update(closes_after=timezone.now().date() + timedelta(days=7))
    for _time in range(2):
        remind_of_closing()
    assert told("closing_nears") == both
    assert OutgoingEmail.objects.filter(kind="closing_nears").count() == 2
    let_time_pass(admin.organization)
    close_due()
    assert told("organization_closed") == {*both, member.user.email}


def test_after_that_it_is_gone_for_all_and_its_address_is_nobody_elses(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    organization, client = admin.organization, sign_in(admin)
    endpoint = EndpointFactory(organization=organization, events=["organization.closed", "membership.left"])
    AccessTokenFactory(organization=organization)
    close(admin)
    let_time_pass(organization)
    for _time in range(2):
        close_due()
    organization.refresh_from_db()
    assert organization.closed_at is not None
    assert not Membership.objects.filter(organization=organization).exists()
    assert not AccessToken.objects.exists()
    assert client.get(url(organization, "dashboard")).status_code == 404
    assert organization.name not in text(client.get(reverse("organizations")))
    assert actions("organization.closed") == ["organization.closed"]
    with transaction.atomic():
        record(MEMBERSHIP_LEFT, actor=Actor.system(), organization=organization, role="member")
    assert list(Delivery.objects.values_list("event", flat=True)) == ["organization.closed"]
    other = create_organization(user=UserFactory(), name=organization.slug)
    assert other.slug != organization.slug
    Delivery.objects.all().delete()
    delete_old()
    assert not type(endpoint).objects.exists()


def test_it_does_not_close_while_a_subscription_would_go_on(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, account: BillingAccount
) -> None:
    """Support kept it at Stripe, say: nobody may pay for what they can't reach."""
    close(admin)
    stripe.api.subscriptions.update(subscription.stripe_id, {"cancel_at_period_end": False})
    sync_subscriptions(account)
    let_time_pass(admin.organization)
    long_ago = timezone.now() - timedelta(days=2)
    StripeOperation.objects.update(created_at=long_ago)
    close_due()
    assert ends(stripe, subscription)
    assert Organization.objects.closing().exists()
    close_due()
    assert not Organization.objects.closing().exists()


def test_a_last_day_that_has_passed_is_told_nowhere_as_if_it_came(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, account: BillingAccount
) -> None:
    close(admin)
    stripe.api.subscriptions.update(subscription.stripe_id, {"cancel_at_period_end": False})
    sync_subscriptions(account)
    client, organization = signed_in(admin.user), admin.organization
    pages = [url(organization, "dashboard"), url(organization), reverse("account_delete")]
    to_come = day(organization.closes_after)
    let_time_pass(organization)
    organization.refresh_from_db()
    gone = day(organization.closes_after)
    for page in pages:
        shown = text(client.get(page))
        assert "closes as soon as its subscription no longer renews" in shown
        assert gone not in shown
        assert to_come not in shown


def test_stripe_still_knows_whom_to_write_to_for_what_is_due(
    admin: Membership,
    billing_manager: Membership,
    stripe: StripeWorld,
    account: BillingAccount,
    sign_in: SignIn,
) -> None:
    address = billing_manager.user.email
    stripe.api.customers.update(account.stripe_customer_id, {"email": address})
    BillingAccount.objects.update(email=address, copies_to=[admin.user.email, "books@acme.test"])
    page = text(sign_in(admin).get(url(admin.organization)))
    assert f"Stripe goes on writing to {address} about them." in page
    close(admin)
    let_time_pass(admin.organization)
    close_due()
    sweep_everything()
    assert stripe.api.customers.retrieve(account.stripe_customer_id).email == address
    assert BillingAccount.objects.get().copies_to == ["books@acme.test"]
    assert actions("details") == []
    assert not StripeOperation.objects.exclude(state=OperationState.DONE).exists()


class ProcessDied(BaseException):
    """Nothing catches it, as nothing catches a SIGKILL."""


def die(*_args: object, **_kwargs: object) -> None:
    raise ProcessDied


@pytest.mark.parametrize("act", ["close", "undo"])
@pytest.mark.parametrize(
    "at",
    [
        (verbs, "sync_subscriptions"),
        (gateway, "end_subscription_with_period"),
        (gateway, "keep_subscription"),
        (verbs, "_noted"),
        (verbs, "finish"),
    ],
    ids=lambda at: at[1],
)
def test_a_process_that_dies_leaves_what_the_sweep_finishes(
    act: str,
    at: tuple[Any, str],
    admin: Membership,
    stripe: StripeWorld,
    subscription: Subscription,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if act == "undo":
        close(admin)
    with monkeypatch.context() as patched:
        patched.setattr(*at, die)
        with suppress(ProcessDied):
            close(admin) if act == "close" else undo(admin)
    sweep_everything()
    assert Organization.objects.closing().exists() is (act == "close")
    assert ends(stripe, subscription) is (act == "close")
    assert not StripeOperation.objects.exclude(state=OperationState.DONE).exists()
    done = "subscription.ending" if act == "close" else "subscription.kept"
    assert actions("subscription.ending", "subscription.kept").count(done) == 1


@pytest.mark.parametrize("kind", ["drop", "stored", "down"])
def test_an_answer_that_never_came_changes_nothing_twice(
    kind: str, admin: Membership, stripe: StripeWorld, subscription: Subscription
) -> None:
    path = f"/v1/subscriptions/{subscription.stripe_id}"
    if kind == "drop":
        stripe.control.drop(method="POST", path=path)
    elif kind == "stored":
        stripe.control.fail(500, method="POST", path=path, when="after", stored=True)
    else:
        stripe.control.fail(503, count=10)
    operation = close(admin)
    assert operation is not None
    assert operation.state == OperationState.PENDING
    stripe.control.clear_faults()
    sweep_everything()
    assert ends(stripe, subscription)
    assert actions("subscription.ending", "subscription.kept") == ["subscription.ending"]


def test_undone_before_stripe_has_answered_the_subscription_goes_on(
    admin: Membership, stripe: StripeWorld, subscription: Subscription
) -> None:
    """One operation, which finds what the organization says when Stripe answers."""
    stripe.control.drop(method="POST", path=f"/v1/subscriptions/{subscription.stripe_id}")
    close(admin)
    assert ends(stripe, subscription)
    stripe.control.fail(503, count=10)
    undo(admin)
    stripe.control.clear_faults()
    sweep_everything()
    assert not ends(stripe, subscription)
    assert StripeOperation.objects.get().state == OperationState.DONE


def test_undone_during_the_call_it_is_asked_anew(
    admin: Membership, stripe: StripeWorld, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = gateway.end_subscription_with_period

    def ask_while_another_undoes(**params: Any) -> None:
        ask(**params)
        monkeypatch.setattr(gateway, "end_subscription_with_period", ask)
        Organization.objects.update(closes_after=None)

    monkeypatch.setattr(gateway, "end_subscription_with_period", ask_while_another_undoes)
    close(admin)
    assert not ends(stripe, subscription)
    assert StripeOperation.objects.get().state == OperationState.DONE


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_closes(
    admin: Membership, stripe: StripeWorld, subscription: Subscription
) -> None:
    other = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    shown = closing_version(admin.organization)
    at_once(
        lambda: close_organization(actor=admin, shown=shown),
        lambda: close_organization(actor=other, shown=shown),
    )
    sweep_everything()
    assert actions("organization.closing") == ["organization.closing_begun"]
    assert actions("subscription.ending", "subscription.kept") == ["subscription.ending"]


def test_without_a_subscription_it_says_whether_use_is_still_charged(
    admin: Membership, sign_in: SignIn
) -> None:
    charged = "is still charged"
    client, page = sign_in(admin), url(admin.organization)
    assert charged not in text(client.get(page))
    BillingAccount.objects.update_or_create(
        organization=admin.organization, defaults={"stripe_customer_id": "cus_1"}
    )
    assert charged in text(client.get(page))
    Organization.objects.update(edition_code="team-pro")
    assert charged not in text(client.get(page))


def test_who_is_dismissed_meanwhile_can_be_kept_out(
    admin: Membership, member: Membership, sign_in: SignIn
) -> None:
    close(admin)
    asked = url(admin.organization, "members")
    page = sign_in(admin).get(asked).content.decode()
    assert f"{member.pk}/remove/" in page
    assert "<hr>" not in page.partition(f'id="menu-{member.pk}"')[2].partition("</div>")[0]
    sign_in(admin).post(f"{asked}{member.pk}/remove/", {"shown_role": "member"})
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_a_person_may_still_leave(admin: Membership, member: Membership) -> None:
    close(admin)
    leave(membership=Membership.objects.get(pk=member.pk))
    assert not Membership.objects.filter(pk=member.pk).exists()
