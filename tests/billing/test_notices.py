"""Who hears about money, and what it costs to tell them."""

from collections.abc import Callable

import pytest

from bench.statements import sent_statements
from billing.models import BillingAccount, Invoice, OperationKind, StripeOperation
from billing.notices import tell_of_failed_payment, tell_of_needed_confirmation, tell_of_new_card
from billing.operations.life import new_operation
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.models import OutgoingEmail
from tests.billing.factories import BillingAccountFactory, InvoiceFactory
from tests.factories import MembershipFactory, UserFactory

MANY = 5


@pytest.fixture
def people(
    organization: Organization, admin: Membership, member: Membership, billing_manager: Membership
) -> set[str]:
    """The addresses of those who may update the card, beside others."""
    MembershipFactory(organization=organization, role=Role.ADMIN, user=UserFactory(is_active=False))
    MembershipFactory(role=Role.ADMIN)
    more = MembershipFactory.create_batch(MANY, organization=organization, role=Role.ADMIN)
    return {membership.user.email for membership in [admin, billing_manager, *more]}


def set_up_by(actor: Membership) -> tuple[BillingAccount, StripeOperation]:
    account = BillingAccountFactory(organization=actor.organization)
    return account, new_operation(kind=OperationKind.SET_UP_CARD, actor=actor)


@pytest.mark.parametrize("tell", [tell_of_failed_payment, tell_of_needed_confirmation])
def test_what_became_of_an_attempt_is_told_to_all_who_can_mend_it_in_two_statements(
    tell: Callable[[Organization, Invoice], None], organization: Organization, people: set[str]
) -> None:
    invoice = InvoiceFactory(organization=organization)
    with sent_statements() as statements:
        tell(organization, invoice)
    assert {mail.to for mail in OutgoingEmail.objects.all()} == people
    assert len(statements) == 2


def test_a_new_card_is_told_to_all_who_work_with_billing_in_three_statements(
    billing_manager: Membership, people: set[str]
) -> None:
    account, operation = set_up_by(billing_manager)
    with sent_statements() as statements:
        tell_of_new_card(account, operation)
    own = {mail.to: mail.params["own"] for mail in OutgoingEmail.objects.all()}
    assert own == {address: address == billing_manager.user.email for address in people}
    assert len(statements) == 3
