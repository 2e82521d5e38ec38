"""What ends in billing and in the outbox when a person is removed, or leaves, and what stays."""

from contextlib import suppress

import pytest

from audit.models import AuditEvent
from billing.card_outcomes import Outcome
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.operations.cards import start_card_setup
from billing.operations.contacts import NOBODY
from billing.operations.life import resume
from billing.operations.payment_links import Ended, ended_because, make_card_link
from billing.tasks import sweep
from orgs.endings import what_ends
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.services import leave, remove_member
from outbox.delivery import deliver, deliver_due
from outbox.models import OutgoingEmail, State
from outbox.registry import kinds_to_outsiders
from tests.billing.mishaps import Killed, steered
from tests.billing.under_way import put_mail
from tests.billing.world import MASTERCARD, StripeWorld, finished_at_stripe, sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.sampling import sampled

pytestmark = pytest.mark.django_db


def contact(stripe: StripeWorld, account: BillingAccount, address: str) -> None:
    stripe.api.customers.update(account.stripe_customer_id, {"email": address})
    account.email = address
    account.save()


def contact_at_stripe(stripe: StripeWorld, account: BillingAccount) -> str | None:
    found: str | None = stripe.api.customers.retrieve(account.stripe_customer_id).email
    return found


def test_only_mails_that_tell_nothing_of_the_inside_go_to_outsiders() -> None:
    assert set(kinds_to_outsiders()) == {
        "last_day_passed",
        "membership_removed",
        "organization_closed",
        "invitation_sent",
        "invitation_revoked",
        "invitation_ended",
    }


@pytest.mark.parametrize("leaves", [False, True])
def test_what_waits_for_them_from_elsewhere_and_for_others_is_kept(leaves: bool, admin: Membership) -> None:
    person = MembershipFactory(organization=admin.organization)
    elsewhere = put_mail("role_changed", MembershipFactory(user=person.user))
    colleagues = put_mail("role_changed", admin)
    dropped = put_mail("role_changed", person)
    if leaves:
        leave(membership=person)
    else:
        remove_member(actor=admin, membership_id=person.pk)
    waiting = OutgoingEmail.objects.filter(OutgoingEmail.unfinished).exclude(kind="membership_removed")
    assert {mail.pk for mail in waiting} == {elsewhere.pk, colleagues.pk}
    assert OutgoingEmail.objects.get(pk=dropped.pk).state == State.DROPPED


def test_a_worker_that_writes_such_a_mail_does_not_send_it(
    admin: Membership, billing_manager: Membership, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[object]
) -> None:
    mail = put_mail("role_changed", billing_manager)

    def removed_meanwhile(_mail: OutgoingEmail) -> object:
        remove_member(actor=admin, membership_id=billing_manager.pk)
        return None

    monkeypatch.setattr("outbox.delivery.renderer_of", lambda _kind: removed_meanwhile)
    monkeypatch.setattr("outbox.delivery._message", lambda *_given: object())
    deliver(mail.pk)
    assert not mailoutbox
    assert OutgoingEmail.objects.get(pk=mail.pk).state == State.DROPPED


def test_stripes_page_closes_and_makes_no_card_what_pays(
    admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    start_card_setup(actor=billing_manager)
    remove_member(actor=admin, membership_id=billing_manager.pk)
    # It is due at once, not when it would be looked at anyway.
    sweep()
    operation = StripeOperation.objects.get(kind=OperationKind.SET_UP_CARD)
    assert (operation.state, operation.result) == (OperationState.FAILED, {"outcome": Outcome.CLOSED})
    assert [session.status for session in stripe.sessions()] == ["expired"]


def test_a_page_that_was_completed_just_before_makes_no_card_what_pays(
    admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    operation_id = finished_at_stripe(stripe, billing_manager, MASTERCARD)
    remove_member(actor=admin, membership_id=billing_manager.pk)
    sweep_everything()
    assert StripeOperation.objects.get(pk=operation_id).result["outcome"] == Outcome.NOT_ALLOWED
    assert stripe.default_card(account) is None
    assert not stripe.cards_of(account)


def test_the_page_of_a_colleague_stays_open(
    admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    start_card_setup(actor=admin)
    remove_member(actor=admin, membership_id=billing_manager.pk)
    sweep_everything()
    assert [session.status for session in stripe.sessions()] == ["open"]


@pytest.mark.parametrize("copies", [[], ["books@acme.test", "more@acme.test"]])
def test_stripe_writes_to_another_address_and_no_copy_goes_to_them(
    admin: Membership,
    billing_manager: Membership,
    account: BillingAccount,
    stripe: StripeWorld,
    copies: list[str],
) -> None:
    theirs = billing_manager.user.email
    account.copies_to = [theirs.upper(), *copies]
    contact(stripe, account, theirs)
    remove_member(actor=admin, membership_id=billing_manager.pk)
    account.refresh_from_db()
    assert account.copies_to == copies
    sweep_everything()
    account.refresh_from_db()
    assert account.email == contact_at_stripe(stripe, account) == (copies or [admin.user.email])[0]
    operation = StripeOperation.objects.get()
    assert (operation.state, operation.actor_id) == (OperationState.DONE, admin.user_id)
    assert operation.actor_id != NOBODY


def test_when_a_billing_manager_leaves_the_first_admin_takes_over(
    admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    contact(stripe, account, billing_manager.user.email)
    leave(membership=billing_manager)
    sweep_everything()
    assert contact_at_stripe(stripe, account) == admin.user.email


def test_an_address_that_is_not_theirs_stays(
    admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    contact(stripe, account, "books@acme.test")
    remove_member(actor=admin, membership_id=billing_manager.pk)
    sweep_everything()
    assert contact_at_stripe(stripe, account) == "books@acme.test"
    assert not StripeOperation.objects.exists()


def test_the_question_says_who_gets_the_mails_instead_to_those_who_may_know(
    admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    Organization.objects.update(managers_manage_managers=True)
    colleague = MembershipFactory(organization=admin.organization, role=Role.BILLING_MANAGER)
    contact(stripe, account, billing_manager.user.email)
    beginning = f"Mails for invoices to {billing_manager.user.email}. Stripe is asked to send them to"
    assert what_ends([billing_manager], admin) == [f"{beginning} {admin.user.email}."]
    assert what_ends([billing_manager], colleague) == [f"{beginning} {colleague.user.email}."]
    # Who leaves learns no admin's address.
    assert what_ends([billing_manager], billing_manager) == [f"{beginning} another address."]


def test_the_last_admin_reads_that_they_cannot_leave(
    admin: Membership, account: BillingAccount, stripe: StripeWorld, sign_in: SignIn
) -> None:
    contact(stripe, account, admin.user.email)
    client, path = sign_in(admin), f"/orgs/{admin.organization.slug}/leave/"
    assert client.get(path).status_code == 200
    assert "needs an admin" in client.post(path, follow=True).content.decode()


@pytest.mark.parametrize("drop", ["before", "after"])
def test_an_answer_that_got_lost_is_asked_for_again(
    drop: str, admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    contact(stripe, account, billing_manager.user.email)
    remove_member(actor=admin, membership_id=billing_manager.pk)
    if drop == "before":
        stripe.control.fail(method="POST", path="/v1/customers/*", status=500)
    else:
        stripe.control.drop(method="POST", path="/v1/customers/*")
    sweep_everything()
    assert StripeOperation.objects.get().state == OperationState.PENDING
    # Stripe answers the key of a request that it failed with the same failure; then there is a new key.
    for _again in range(2):
        sweep_everything()
    assert contact_at_stripe(stripe, account) == admin.user.email
    assert StripeOperation.objects.get().state == OperationState.DONE


@pytest.mark.parametrize("step", sampled(range(36), every=10))
def test_a_process_that_dies_before_any_step_has_it_done_and_told_once(
    step: int,
    admin: Membership,
    billing_manager: Membership,
    account: BillingAccount,
    stripe: StripeWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contact(stripe, account, billing_manager.user.email)
    remove_member(actor=admin, membership_id=billing_manager.pk)
    with steered(monkeypatch) as (fuse, _clock):
        fuse.steps_left = step
        with suppress(Killed):
            resume(StripeOperation.objects.get().pk)
        fuse.reset()
        for _again in range(2):
            sweep_everything()
    assert contact_at_stripe(stripe, account) == admin.user.email
    assert StripeOperation.objects.get().state == OperationState.DONE
    assert AuditEvent.objects.filter(action="details.changed").count() == 1
    assert OutgoingEmail.objects.filter(kind="details_changed", to=admin.user.email).count() == 1


def test_who_took_over_and_is_removed_too_gives_it_on(
    admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    second = MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    contact(stripe, account, billing_manager.user.email)
    remove_member(actor=second, membership_id=billing_manager.pk)
    remove_member(actor=admin, membership_id=second.pk)
    sweep_everything()
    assert contact_at_stripe(stripe, account) == admin.user.email


def test_a_change_that_would_bring_the_address_back_is_awaited(
    admin: Membership, billing_manager: Membership, account: BillingAccount, stripe: StripeWorld
) -> None:
    theirs = billing_manager.user.email
    earlier = StripeOperation.objects.create(
        organization=admin.organization,
        kind=OperationKind.UPDATE_DETAILS,
        idempotency_key="earlier",
        actor_id=admin.user_id,
        actor_name="Ada",
        params={
            "customer": account.stripe_customer_id,
            "change": {"email": theirs},
            "wanted": {"email": theirs},
        },
    )
    remove_member(actor=admin, membership_id=billing_manager.pk)
    replacing = StripeOperation.objects.get(kind=OperationKind.REPLACE_CONTACT)
    assert resume(replacing.pk).state == OperationState.PENDING
    resume(earlier.pk)
    assert resume(replacing.pk).state == OperationState.DONE
    assert contact_at_stripe(stripe, account) == admin.user.email
    deliver_due()


def test_their_payment_links_end_for_good_and_no_others(
    admin: Membership, billing_manager: Membership, account: BillingAccount
) -> None:
    theirs, colleagues = make_card_link(actor=billing_manager), make_card_link(actor=admin)
    remove_member(actor=admin, membership_id=billing_manager.pk)
    MembershipFactory(organization=admin.organization, user=billing_manager.user, role=Role.BILLING_MANAGER)
    for link, ended in ((theirs, Ended.REVOKED), (colleagues, None)):
        link.refresh_from_db()
        assert ended_because(link) is ended
