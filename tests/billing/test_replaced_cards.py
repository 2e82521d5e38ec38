"""What people read who come back from Stripe's page when their card is not, or no longer, the one to pay."""

import uuid
from typing import Any

import pytest
from django.test import Client

from billing import gateway
from billing.mirror.customers import sync_customer
from billing.models import BillingAccount
from billing.operations.cards import start_card_setup
from billing.operations.life import resume
from orgs.models import Membership
from orgs.policy import Role
from outbox.delivery import deliver_due
from tests.billing.world import (
    MASTERCARD,
    VISA,
    StripeWorld,
    card_url,
    finished_at_stripe,
    operation_in,
)
from tests.conftest import SignIn
from tests.factories import MembershipFactory
from tests.races import at_once

pytestmark = pytest.mark.django_db

PAYS = "The card is saved. It pays the next charge."
REPLACED = "Another card was saved after this one and has replaced it."
UNUSED = "The card was saved, but is no longer the one to pay."
ALL = [PAYS, REPLACED, UNUSED]


@pytest.fixture
def second(admin: Membership) -> Membership:
    return MembershipFactory(organization=admin.organization, role=Role.ADMIN)


def read_on_return(client: Client, person: Membership, operation_id: uuid.UUID) -> tuple[list[str], str]:
    """Which of the sentences the person reads, and the whole page."""
    page = client.get(f"{card_url(person)}return/?operation={operation_id}", follow=True).content.decode()
    return [sentence for sentence in ALL if sentence in page], page


def both_finished(stripe: StripeWorld, early: Membership, late: Membership) -> tuple[uuid.UUID, uuid.UUID]:
    """Two who were at Stripe's page at the same time; the second of them finished there last."""
    pages = [start_card_setup(actor=early), start_card_setup(actor=late)]
    first = operation_in(stripe.control.enter_card(pages[0], number=VISA))
    stripe.control.advance(seconds=10)
    second = operation_in(stripe.control.enter_card(pages[1], number=MASTERCARD))
    return uuid.UUID(first), uuid.UUID(second)


@pytest.mark.slow
@pytest.mark.parametrize("late_is_read_first", [False, True])
@pytest.mark.parametrize("late_is_heard_first", [False, True])
@pytest.mark.parametrize("late_role", [Role.ADMIN, Role.BILLING_MANAGER])
def test_of_two_cards_only_the_one_that_stays_is_said_to_pay(
    late_role: Role,
    late_is_heard_first: bool,
    late_is_read_first: bool,
    admin: Membership,
    stripe: StripeWorld,
    sign_in: SignIn,
) -> None:
    late = MembershipFactory(organization=admin.organization, role=late_role)
    early_id, late_id = both_finished(stripe, admin, late)
    for operation_id in sorted(
        [early_id, late_id], key=[early_id, late_id].index, reverse=late_is_heard_first
    ):
        resume(operation_id)
    readings = [(admin, early_id, REPLACED), (late, late_id, PAYS)]
    for person, operation_id, sentence in reversed(readings) if late_is_read_first else readings:
        assert read_on_return(sign_in(person), person, operation_id)[0] == [sentence]


@pytest.mark.slow
def test_a_card_that_paid_until_somebody_saved_another_is_said_to_be_replaced(
    admin: Membership, second: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    """The first to be done has not looked at their page yet."""
    first_id = finished_at_stripe(stripe, admin)
    resume(first_id)
    stripe.control.advance(seconds=10)
    resume(finished_at_stripe(stripe, second, MASTERCARD))
    assert read_on_return(sign_in(admin), admin, first_id)[0] == [REPLACED]


@pytest.mark.slow
def test_a_card_about_to_be_replaced_is_said_to_be(
    admin: Membership,
    second: Membership,
    stripe: StripeWorld,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    early_id, late_id = both_finished(stripe, admin, second)
    resume(early_id)
    real, read = gateway.set_default_payment_method, []

    def while_the_first_looks(**asked: Any) -> None:
        read.extend(read_on_return(sign_in(admin), admin, early_id)[0])
        real(**asked)

    monkeypatch.setattr(gateway, "set_default_payment_method", while_the_first_looks)
    resume(late_id)
    assert read == [REPLACED]


def test_the_page_of_a_replaced_card_names_nobody_to_a_billing_manager(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    early_id, late_id = both_finished(stripe, billing_manager, admin)
    resume(early_id)
    resume(late_id)
    read, page = read_on_return(sign_in(billing_manager), billing_manager, early_id)
    assert read == [REPLACED]
    assert admin.user.name not in page
    assert admin.user.email not in page


def test_whose_card_was_replaced_reads_in_a_mail_by_whom_and_which_card_pays(
    admin: Membership, billing_manager: Membership, stripe: StripeWorld, mailoutbox: list[Any]
) -> None:
    early_id, late_id = both_finished(stripe, billing_manager, admin)
    resume(early_id)
    deliver_due()
    mailoutbox.clear()
    resume(late_id)
    deliver_due()
    (mail,) = [mail for mail in mailoutbox if mail.to == [billing_manager.user.email]]
    assert mail.subject == f"{admin.user.name} updated the card of {admin.organization.name}"
    assert f"{admin.user.name} chose Mastercard ending 4444. It pays" in mail.body


@pytest.mark.parametrize("what", ["another default", "removed"])
def test_a_card_that_was_changed_at_stripe_is_not_said_to_pay(
    what: str, admin: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    operation_id = finished_at_stripe(stripe, admin)
    resume(operation_id)
    account = BillingAccount.objects.get()
    if what == "removed":
        stripe.api.payment_methods.detach(account.payment_method_id)
    else:
        stripe.attach_default(account, "pm_card_amex")
    sync_customer(account)
    assert read_on_return(sign_in(admin), admin, operation_id)[0] == [UNUSED]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_whose_cards_are_worked_off_at_once_read_which_one_stays(
    admin: Membership, second: Membership, stripe: StripeWorld, sign_in: SignIn
) -> None:
    clients = {person: sign_in(person) for person in (admin, second)}
    for _round in range(3):
        stripe.control.advance(seconds=10)
        early_id, late_id = both_finished(stripe, admin, second)
        at_once(lambda: resume(early_id), lambda: resume(late_id))
        read = at_once(
            lambda: read_on_return(clients[admin], admin, early_id)[0],
            lambda: read_on_return(clients[second], second, late_id)[0],
        )
        assert BillingAccount.objects.get().card_last4 == "4444"
        assert read == [[REPLACED], [PAYS]]
