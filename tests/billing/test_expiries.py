"""What pays expires: people are warned 30 and 7 days ahead, once each, and of nothing that pays nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from billing import expiries
from billing.expiries import warn_of_expiring_methods
from billing.models import BillingAccount, PaymentMethod
from orgs.models import Membership, Organization
from outbox.models import OutgoingEmail
from outbox.registry import NoLongerNeeded, renderer_of
from tests.billing.factories import BillingAccountFactory, PaymentMethodFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(organization: Organization, admin: Membership, billing_manager: Membership) -> PaymentMethod:
    """It pays the subscription, and expires with December 2026."""
    card = PaymentMethodFactory(organization=organization, exp_month=12, exp_year=2026)
    BillingAccountFactory(
        organization=organization, payment_method_id=card.stripe_id, card_exp_month=12, card_exp_year=2026
    )
    SubscriptionFactory(organization=organization)
    return card


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the daily task on a day of 2026."""

    def run(month: int, day: int) -> list[OutgoingEmail]:
        monkeypatch.setattr(timezone, "now", lambda: datetime(2026, month, day, 6, tzinfo=UTC))
        before = set(OutgoingEmail.objects.values_list("pk", flat=True))
        warn_of_expiring_methods()
        return list(OutgoingEmail.objects.exclude(pk__in=before))

    return run


def test_people_in_billing_are_warned_twice_and_once_each(
    card: PaymentMethod, on: Any, admin: Membership, billing_manager: Membership, member: Membership
) -> None:
    assert not on(11, 30)
    for month, day in [(12, 2), (12, 26)]:
        assert {mail.to for mail in on(month, day)} == {admin.user.email, billing_manager.user.email}
        assert not on(month, day + 1)
    assert not on(12, 31)


def test_an_organization_heard_of_late_is_warned_once(card: PaymentMethod, on: Any) -> None:
    assert len(on(12, 28)) == 2
    assert not on(12, 29)


def test_what_pays_nothing_is_not_told_of(card: PaymentMethod, on: Any) -> None:
    BillingAccount.objects.update(payment_method_id="pm_other")
    assert not on(12, 2)
    assert PaymentMethod.objects.get().warned_days is None


def test_a_subscriptions_own_method_is_told_of(card: PaymentMethod, on: Any) -> None:
    BillingAccount.objects.update(payment_method_id="pm_other")
    card.organization.subscriptions.update(pays=card.saved)
    assert len(on(12, 2)) == 2


def test_what_pays_a_subscription_that_charges_nothing_is_not_told_of(card: PaymentMethod, on: Any) -> None:
    card.organization.subscriptions.update(status="canceled")
    assert not on(12, 2)


def test_a_renewed_card_is_warned_of_anew(
    card: PaymentMethod, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(12, 26)
    PaymentMethod.objects.update(exp_month=1, exp_year=2027, warned_days=None)
    BillingAccount.objects.update(card_exp_month=1, card_exp_year=2027)
    assert not on(12, 31)
    monkeypatch.setattr(timezone, "now", lambda: datetime(2027, 1, 3, 6, tzinfo=UTC))
    warn_of_expiring_methods()
    assert OutgoingEmail.objects.count() == 4


def test_a_worker_that_dies_before_the_mails_loses_and_repeats_nothing(
    card: PaymentMethod, on: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ProcessDied(BaseException):
        pass

    def dying(*_args: object, **_values: object) -> None:
        raise ProcessDied

    with monkeypatch.context() as fault:
        fault.setattr(expiries, "tell_of_expiring_method", dying)
        with pytest.raises(ProcessDied):
            on(12, 2)
    assert len(on(12, 2)) == 2


def test_the_mail_names_card_and_day_and_is_dropped_once_it_was_renewed(card: PaymentMethod, on: Any) -> None:
    mail = on(12, 2)[0]
    rendered = renderer_of(mail.kind)(mail)
    assert "Mastercard ending 4444" in rendered.subject
    assert "expires on 31 December 2026" in rendered.subject
    PaymentMethod.objects.update(exp_year=2030)
    with pytest.raises(NoLongerNeeded):
        renderer_of(mail.kind)(mail)
