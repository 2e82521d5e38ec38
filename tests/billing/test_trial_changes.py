"""A change during a trial: nothing is charged, the trial goes on, and what is paid after it was shown."""

from datetime import UTC, datetime

import pytest

from billing import gateway
from billing.change_outcomes import Outcome, outcome_of
from orgs.dates import day
from orgs.models import Membership
from orgs.policy import Role
from tests.billing.mishaps import Killed
from tests.billing.plans import Customer, operation, text_of
from tests.billing.test_plan_failures import sweep_everything
from tests.conftest import SignIn
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db
TRIAL = {"trial_period_days": 14}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edition", "quantity", "path", "period", "becomes"),
    [
        ("team-pro", 3, "seats/?seats=5", "$300.00 a month", ("team-pro", 5)),
        ("team-pro", 3, "seats/?seats=2", "$120.00 a month", ("team-pro", 2)),
        (
            "enterprise-growth",
            1,
            "plan/?edition=business-critical",
            "$18,000.00 a year",
            ("business-critical", None),
        ),
        (
            "business-critical",
            1,
            "plan/?edition=enterprise-growth",
            "$7,200.00 a year",
            ("enterprise-growth", None),
        ),
        ("team-pro", 3, "plan/?edition=enterprise-growth", "$7,200.00 a year", ("enterprise-growth", None)),
    ],
)
def test_it_counts_at_once_costs_nothing_and_the_trial_goes_on(
    edition: str, quantity: int, path: str, period: str, becomes: tuple[str, int | None], customer: Customer
) -> None:
    made = customer.buy(edition, quantity, **TRIAL)
    customer.half_of_the_period()
    ends = day(datetime.fromtimestamp(made.trial_end, UTC)).replace("\xa0", " ")
    told = text_of(customer.get(path))
    assert "Today you pay $0.00" in told
    assert f"The trial goes on until {ends}. Nothing is charged before." in told
    assert f"From {ends} {period}" in told
    assert customer.press(path).status_code == 302
    assert outcome_of(operation()) is Outcome.MADE
    assert "difference" not in operation().result
    changed = customer.subscription()
    assert (changed.status, changed.trial_end) == ("trialing", made.trial_end)
    organization = customer.organization
    assert (organization.edition_code, organization.seats) == becomes
    assert "Nothing was charged." in text_of(customer.get(""))
    assert [invoice.total for invoice in customer.invoices()] == [0]
    customer.end_of_the_period()
    customer.stripe.control.advance(hours=2)
    amount = period.split(" ", maxsplit=1)[0]
    assert f"${customer.invoices()[0].total / 100:,.2f}" == amount


def test_a_process_that_dies_changes_it_once(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = customer.buy("team-pro", 3, **TRIAL)
    page = customer.get("seats/?seats=5")
    change = gateway.change_in_trial

    def dies(*asked: object, **given: object) -> None:
        change(*asked, **given)  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(gateway, "change_in_trial", dies)
        with pytest.raises(Killed):
            customer.press("seats/?seats=5", page=page)
    sweep_everything()
    assert outcome_of(operation()) is Outcome.MADE
    assert customer.organization.seats == 5
    assert customer.subscription().trial_end == made.trial_end


@pytest.mark.slow
def test_a_trial_that_ended_since_the_page_was_drawn_is_not_changed(customer: Customer) -> None:
    customer.buy("team-pro", 3, **TRIAL)
    page = customer.get("seats/?seats=5")
    customer.stripe.control.advance(days=15)
    answer = customer.press("seats/?seats=5", page=page)
    assert "The plan was changed meanwhile." in text_of(answer.content.decode())
    assert customer.subscription()["items"].data[0].quantity == 3


@pytest.mark.slow
def test_billing_managers_leave_at_once_as_a_person_chose(
    customer: Customer, admin: Membership, sign_in: SignIn
) -> None:
    organization = customer.account.organization
    other = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    stays, customer.reader, customer.browser = customer.reader, admin, sign_in(admin)
    customer.buy("enterprise-growth", **TRIAL)
    customer.press("plan/?edition=team-growth", stays=str(stays.pk))
    assert customer.organization.edition_code == "team-growth"
    assert [one.pk for one in Membership.objects.for_org(organization).billing_managers()] == [stays.pk]
    assert not Membership.objects.filter(pk=other.pk).exists()
