"""The name on coming invoices follows the organization's."""

import pytest

from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.operations import names
from billing.operations.life import resume
from orgs.models import Membership
from orgs.services import Change, change_settings
from tests.billing.world import StripeWorld, sweep_everything

pytestmark = pytest.mark.django_db


def rename(admin: Membership, name: str) -> None:
    old = admin.organization.name
    change_settings(actor=admin, changes={"name": Change(old, name)})
    admin.organization.refresh_from_db()


def name_at_stripe(stripe: StripeWorld, account: BillingAccount) -> str:
    return str(stripe.api.customers.retrieve(account.stripe_customer_id).name)


@pytest.fixture
def named(admin: Membership, account: BillingAccount) -> BillingAccount:
    account.name = admin.organization.name
    account.save()
    return account


def test_the_customers_name_follows(admin: Membership, stripe: StripeWorld, named: BillingAccount) -> None:
    rename(admin, "Acme Two")
    sweep_everything()
    assert name_at_stripe(stripe, named) == "Acme Two"
    named.refresh_from_db()
    assert named.name == "Acme Two"
    assert StripeOperation.objects.get().state == OperationState.DONE


def test_several_names_in_a_row_end_as_the_last(
    admin: Membership, stripe: StripeWorld, named: BillingAccount
) -> None:
    for name in ("Acme Two", "Acme Three"):
        rename(admin, name)
    sweep_everything()
    assert name_at_stripe(stripe, named) == "Acme Three"
    assert StripeOperation.objects.filter(kind=OperationKind.RENAME_CUSTOMER).count() == 1
    rename(admin, "Acme Four")
    sweep_everything()
    assert name_at_stripe(stripe, named) == "Acme Four"


def test_a_name_that_changes_during_the_call_is_sent_again(
    admin: Membership, stripe: StripeWorld, named: BillingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(admin, "Acme Two")
    real, sent = names.gateway.rename_customer, []

    def renamed_meanwhile(**given: str) -> None:
        sent.append(given["name"])
        real(**given)
        if len(sent) == 1:
            rename(admin, "Acme Three")

    monkeypatch.setattr(names.gateway, "rename_customer", renamed_meanwhile)
    resume(StripeOperation.objects.get().pk)
    assert sent == ["Acme Two", "Acme Three"]
    assert name_at_stripe(stripe, named) == "Acme Three"


def test_a_name_that_somebody_chose_at_stripe_stays(
    admin: Membership, stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.api.customers.update(account.stripe_customer_id, {"name": "Acme GmbH"})
    account.name = "Acme GmbH"
    account.save()
    rename(admin, "Acme Two")
    sweep_everything()
    assert name_at_stripe(stripe, account) == "Acme GmbH"
    assert not StripeOperation.objects.exists()


def test_an_answer_that_got_lost_is_asked_for_again_with_the_same_key(
    admin: Membership, stripe: StripeWorld, named: BillingAccount
) -> None:
    rename(admin, "Acme Two")
    stripe.control.drop(method="POST", path="/v1/customers/*")
    sweep_everything()
    assert StripeOperation.objects.get().state == OperationState.PENDING
    sweep_everything()
    assert StripeOperation.objects.get().state == OperationState.DONE
    asked = stripe.calls("POST", f"/v1/customers/{named.stripe_customer_id}")
    assert len({call["idempotency_key"] for call in asked}) == 1 < len(asked)


def test_without_a_customer_there_is_nothing_to_rename(admin: Membership) -> None:
    rename(admin, "Acme Two")
    assert not StripeOperation.objects.exists()
