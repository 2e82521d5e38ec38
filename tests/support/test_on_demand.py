"""Support staff compare on-demand credits with Stripe month by month, and make good what is missing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from bench.statements import sent_statements
from billing.models import BillingAccount, OnDemandItem, StripeOperation
from billing.on_demand import let_charges_be_invoiced
from billing.selectors import on_demand as selector
from billing.selectors.on_demand import Comparison, State, compare
from credits.models import Entry, OnDemandCharge
from orgs.models import Organization
from orgs.policy import StaffRole
from tests.billing.factories import BillingAccountFactory
from tests.billing.on_demand import JUNE, MAY, charge_of
from tests.world import staff_with

pytestmark = pytest.mark.django_db

URL = "/admin/on-demand/"


def charged(account: BillingAccount, **fields: Any) -> OnDemandCharge:
    """With the ledger's entry that it adds up."""
    if "since" in fields:
        fields.setdefault("until", fields["since"] + timedelta(hours=1))
    charge = charge_of(account.organization, **fields)
    number = Entry.objects.for_org(account.organization).count() + 1
    at = {"hour": charge.since, "booked_at": charge.since}
    Entry.objects.create(organization=account.organization, number=number, credits=charge.credits, **at)
    return charge


def item_of(charge: OnDemandCharge, **fields: Any) -> OnDemandItem:
    """As Stripe has it of that charge, unless ``fields`` say otherwise."""
    usual = {
        "stripe_id": f"ii_{OnDemandItem.objects.count()}",
        "customer_id": "cus_1",
        "invoice_id": "in_unknown",
        "since": charge.since,
        "until": charge.until,
        "credits": charge.credits,
        "amount": charge.amount,
        "currency": "usd",
        "fetched_seq": 1,
        "synced_at": timezone.now(),
    }
    return OnDemandItem.objects.create(organization=charge.organization, **{**usual, **fields})


@pytest.fixture
def helper() -> Client:
    return staff_with(StaffRole.BILLING_SUPPORT)


@pytest.fixture
def account() -> BillingAccount:
    return BillingAccountFactory()


def states(month: datetime = MAY, **how: Any) -> list[State]:
    found = compare(month.date(), after=None, everything=True)
    return [row.state for row in [*found.rows, *found.strange]]


def shown(client: Client, **query: str) -> Comparison:
    answer = client.get(URL, {"month": "2026-05", **query})
    assert answer.status_code == 200
    found: Comparison = answer.context["comparison"]
    return found


def test_what_stripe_has_as_charged_is_the_same_and_shown_only_on_demand(
    account: BillingAccount, helper: Client
) -> None:
    item_of(charged(account))
    assert states() == [State.SAME]
    assert shown(helper).rows == []
    found = shown(helper, all="")
    assert [(row.ours, row.at_stripe, row.difference) for row in found.rows] == [(75_00, 75_00, 0)]
    assert (found.ours, found.at_stripe, found.difference) == (75_00, 75_00, 0)


@pytest.mark.parametrize(
    ("of_item", "state"),
    [
        (None, State.MISSING),
        ({"gone_at": MAY}, State.MISSING),
        ({"amount": 74_99}, State.DIFFERS),
        ({"currency": "eur"}, State.DIFFERS),
    ],
)
def test_what_is_not_the_same_stands_on_the_page(
    of_item: dict[str, Any] | None, state: State, account: BillingAccount, helper: Client
) -> None:
    charge = charged(account)
    if of_item is not None:
        item_of(charge, **of_item)
    (row,) = shown(helper).rows
    assert (row.state, row.ours, row.organization) == (state, 75_00, account.organization.name)


def test_two_items_of_one_span_differ(account: BillingAccount) -> None:
    charge = charged(account)
    item_of(charge)
    item_of(charge)
    assert states() == [State.DIFFERS]


def test_an_item_of_no_charge_is_not_ours(account: BillingAccount) -> None:
    charge = charged(account)
    item_of(charge)
    item_of(charge, since=MAY + timedelta(days=3), amount=5)
    assert states() == [State.SAME, State.NOT_OURS]
    found = compare(MAY.date(), after=None, everything=False)
    assert (found.ours, found.at_stripe, found.difference) == (75_00, 75_05, 5)


def test_a_charge_that_the_ledger_does_not_add_up_to_differs(account: BillingAccount) -> None:
    item_of(charge_of(account.organization))
    assert states() == [State.DIFFERS]


def test_what_can_not_be_missing_says_why(account: BillingAccount) -> None:
    charged(account, since=MAY, credits=19, amount=0)
    charged(BillingAccountFactory(stripe_customer_id=None), since=MAY + timedelta(days=1))
    charged(account, since=MAY + timedelta(days=2))
    let_charges_be_invoiced(Organization.objects.locked(account.organization_id))
    assert states() == [State.NOTHING, State.NO_CUSTOMER, State.UNDER_WAY]
    StripeOperation.objects.update(state="failed", result={"outcome": "other_currency"})
    assert states()[-1] is State.MISSING
    (row,) = compare(MAY.date(), after=None, everything=False).missing
    assert row.why == "not done, since credits are sold in US dollars only"


def test_a_span_is_of_the_month_in_which_it_begins(account: BillingAccount) -> None:
    charged(account, since=MAY + timedelta(days=30), until=JUNE + timedelta(days=30))
    charged(account, since=JUNE + timedelta(days=30), until=JUNE + timedelta(days=60))
    assert states(MAY) == [State.MISSING]


def test_pages_by_key(account: BillingAccount, helper: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selector, "PAGE", 2)
    for number in range(5):
        charged(account, since=MAY + timedelta(days=number // 2, hours=number))
    seen, after = [], ""
    while True:
        found = shown(helper, after=after)
        seen += [row.charge_id for row in found.rows]
        if not (after := found.after):
            break
    assert seen == list(OnDemandCharge.objects.order_by("since", "id").values_list("pk", flat=True))


def test_statements_stay_the_same_for_one_and_for_many(helper: Client) -> None:
    counts = []
    for more in (2, 12):
        for number in range(more):
            charge = charged(BillingAccountFactory())
            if number % 2:
                item_of(charge, amount=1)
        helper.get(URL, {"month": "2026-05"})
        with sent_statements() as statements:
            shown(helper)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 12


def test_what_is_missing_is_asked_for_once(account: BillingAccount, helper: Client) -> None:
    charge = charged(account)
    form = {"month": "2026-05", "charge": [str(charge.pk)]}
    answer = helper.post(URL, form, follow=True)
    assert "Asked Stripe for 1 item." in answer.content.decode()
    operation = StripeOperation.objects.get()
    assert (operation.charge, operation.actor_kind, operation.state) == (charge, "staff", "pending")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_kind) == ("credits.on_demand_asked", "staff")
    answer = helper.post(URL, form, follow=True)
    assert "none of it is missing any more" in answer.content.decode()
    assert StripeOperation.objects.count() == 1


def test_what_was_done_or_refused_before_can_be_asked_for_again(
    account: BillingAccount, helper: Client
) -> None:
    charge = charged(account)
    for state in ("failed", "done"):
        helper.post(URL, {"charge": [str(charge.pk)]})
        StripeOperation.objects.update(state=state)
    assert helper.post(URL, {"charge": [str(charge.pk)]}).status_code == 302
    assert StripeOperation.objects.count() == 3


@pytest.mark.parametrize("charge", ["", "x", "%00", "00000000-0000-0000-0000-000000000000"])
def test_nothing_else_is_asked_for(charge: str, helper: Client) -> None:
    sound = charged(BillingAccountFactory())
    item_of(sound)
    helper.post(URL, {"charge": [charge, str(sound.pk)]})
    helper.post(URL, {"charge": [str(charged(BillingAccountFactory(stripe_customer_id=None)).pk)]})
    assert not StripeOperation.objects.exists()


def test_looking_changes_nothing(account: BillingAccount, helper: Client) -> None:
    charged(account)
    helper.get(URL, {"month": "2026-05"})
    with sent_statements() as statements:
        helper.get(URL, {"month": "2026-05"})
    written = [one for one in map(str, statements) if not one.lstrip().upper().startswith("SELECT")]
    # The log of what staff look at.
    assert [one.partition(" (")[0] for one in written] == ['INSERT INTO "support_staffrequest"']


@pytest.mark.parametrize(
    "query", ["month=", "month=2026-13", "month=x", "month=9999-12", "after=x", "month=0001-01"]
)
def test_an_odd_question_shows_a_month(query: str, helper: Client) -> None:
    assert helper.get(f"{URL}?{query}").status_code == 200


def test_without_the_permission_there_is_neither_page_nor_act(account: BillingAccount) -> None:
    assert staff_with().get(URL).status_code == 403
    reader = staff_with(StaffRole.SUPPORT)
    charge = charged(account)
    assert "Ask Stripe for what is missing" not in reader.get(URL, {"month": "2026-05"}).content.decode()
    assert reader.post(URL, {"charge": [str(charge.pk)]}).status_code == 403
    assert not StripeOperation.objects.exists()


def test_the_first_page_tells_of_what_is_not_at_stripe(account: BillingAccount, helper: Client) -> None:
    now = timezone.now()
    span = {"since": now - timedelta(days=40), "until": now - timedelta(days=20)}
    charged(account, **span, created_at=now - timedelta(days=1))
    assert "not as charged" not in helper.get("/admin/").content.decode()
    span = {"since": now - timedelta(days=20), "until": now - timedelta(days=5)}
    charged(account, **span, created_at=now - timedelta(days=3))
    assert "of 1 span are not as charged" in helper.get("/admin/").content.decode()
