"""*Billing & usage*: each state at Stripe, what the page says of it, and what it must not say."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from billing.models import Subscription
from billing.selectors import billing_page
from billing.selectors.invoices import OPEN_SHOWN
from orgs.models import Membership, Organization
from tests.billing.factories import (
    BillingAccountFactory,
    InvoiceFactory,
    SubscriptionFactory,
    document,
    line,
    payment,
)
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn
from usage.services import HourlyReading, record_counts

pytestmark = pytest.mark.django_db

# Session, person, organization with membership: what every request reads.
EVERY_REQUEST = 3
PAGE_BUDGET = 8
# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
SUBSCRIPTION_STATUSES = [
    "active",
    "canceled",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
]
DAY_OF_CHARGE = "1 December 2026"
TRIAL_END = datetime(2026, 12, 9, tzinfo=UTC)
LATER = datetime(2100, 1, 20, tzinfo=UTC)
BEFORE = datetime(2026, 11, 23, tzinfo=UTC)
OWN = {
    "id": "pm_own",
    "kind": "card",
    "brand": "mastercard",
    "last4": "4444",
    "exp_month": 1,
    "exp_year": 2040,
}
LINK = {**OWN, "id": "pm_link", "kind": "link", "brand": "", "last4": "", "exp_month": None, "exp_year": None}


def preview(amount: int, lines: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    total = fields.pop("total", amount)
    return {
        "missing": "",
        "currency": "usd",
        "at": fields.pop("at", "2026-12-01T01:00:00+00:00"),
        "total": total,
        "amount_due": amount,
        "document": document(lines or [line("Seats", total)], **fields),
    }


NO_PREVIEW = {**preview(0), "document": None}
NONE_TO_COME = {**NO_PREVIEW, "missing": "invoice_upcoming_none"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What Stripe has, and the words. ``account``: None: no customer, so no card."""

    account: dict[str, Any] | None = field(default_factory=dict)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)


PROMISES = ["Active", "Renews on", "The next charge is on", "Charged on"]
NO_CARD: dict[str, Any] = {"payment_method_id": "", "card_last4": "", "card_brand": ""}

SUBSCRIPTIONS = {
    "active": Case(
        subscriptions=[{}],
        says=[
            f"Next charge $200.00 on {DAY_OF_CHARGE}",
            "Active",
            f"Renews on {DAY_OF_CHARGE}",
            f"Charged on {DAY_OF_CHARGE} with Visa ending 4242 $200.00",
            "Due now Nothing",
        ],
    ),
    "paused status": Case(
        subscriptions=[{"status": "paused"}],
        says=["Paused", "Next charge None Nothing is charged while the subscription is paused."],
        never=PROMISES,
    ),
    "collection paused until a day": Case(
        subscriptions=[{"pause_behavior": "void", "pause_resumes_at": LATER}],
        says=[
            "Collection paused",
            "Collection is paused until 20 January 2100. Invoices of that time are void.",
            "Next charge None Nothing is charged while collection is paused.",
        ],
        never=PROMISES,
    ),
    "collection paused for good": Case(
        subscriptions=[{"pause_behavior": "keep_as_draft"}],
        says=["Collection is paused, with no end set. Invoices of that time are kept as drafts."],
        never=PROMISES,
    ),
    "incomplete": Case(
        subscriptions=[{"status": "incomplete"}],
        says=["First payment missing", "The subscription starts once its first payment is made."],
        never=PROMISES,
    ),
    "unpaid": Case(
        subscriptions=[{"status": "unpaid"}],
        says=["Unpaid", "Nothing more is charged until the open invoices are paid."],
        never=PROMISES,
    ),
    "a status of tomorrow": Case(
        subscriptions=[{"status": "novel"}],
        says=["Unknown", "Next charge Not known"],
        never=PROMISES,
    ),
    "canceled": Case(
        subscriptions=[{"status": "canceled"}],
        says=["Next charge None no subscription"],
        never=PROMISES,
    ),
    "past due": Case(
        subscriptions=[{"status": "past_due"}],
        invoices=[{"status": "open", "payment_status": "failed", "failure_code": "insufficient_funds"}],
        says=[
            "Payment overdue",
            "Due now $58.25",
            f"Next charge $200.00 on {DAY_OF_CHARGE}, besides the $58.25 due now",
        ],
        never=["Active", "Renews on", "Due now Nothing"],
    ),
    "ends at the period's end": Case(
        subscriptions=[{"cancel_at_period_end": True, "preview": NONE_TO_COME}],
        says=[
            f"Ends on {DAY_OF_CHARGE}",
            f"Next charge None The subscription ends on {DAY_OF_CHARGE}. Nothing is charged after that.",
        ],
        never=PROMISES,
    ),
    "ends on a day": Case(
        subscriptions=[{"cancel_at": BEFORE, "preview": NONE_TO_COME}],
        says=["Ends on 23 November 2026"],
        never=PROMISES,
    ),
    "ends later than the next charge": Case(
        subscriptions=[{"cancel_at": LATER}],
        says=["Ends on 20 January 2100", f"Next charge $200.00 on {DAY_OF_CHARGE}"],
        never=["Active", "Renews on"],
    ),
    "trial with a card": Case(
        subscriptions=[{"status": "trialing", "trial_end": TRIAL_END, "trial_without_method": "cancel"}],
        says=["Trial until 9 December 2026", "Next charge $200.00"],
        never=["Active", "Renews on", "unless a card is saved"],
    ),
    "trial that ends without a card": Case(
        account=None,
        subscriptions=[{"status": "trialing", "trial_end": TRIAL_END, "trial_without_method": "cancel"}],
        says=[
            "The subscription ends on 9 December 2026 unless a card is saved.",
            "Ends on 9 December 2026 unless a card is saved",
            "Next charge None Nothing is charged unless a card is saved by 9 December 2026.",
            "Add card",
        ],
        never=PROMISES,
    ),
    "trial that pauses without a card": Case(
        account=None,
        subscriptions=[{"status": "trialing", "trial_end": TRIAL_END, "trial_without_method": "pause"}],
        says=["Pauses on 9 December 2026 unless a card is saved"],
        never=PROMISES,
    ),
    "trial that is invoiced without a card": Case(
        account=None,
        subscriptions=[
            {"status": "trialing", "trial_end": TRIAL_END, "trial_without_method": "create_invoice"}
        ],
        says=["No card is saved. The next charge is on 1 December 2026.", "Trial until 9 December 2026"],
        never=["Active", "Renews on"],
    ),
    "by invoice without a card": Case(
        account=None,
        subscriptions=[{"charged_automatically": False, "days_until_due": 30}],
        says=[
            "Paid by bank transfer on invoice",
            f"Next invoice $200.00 on {DAY_OF_CHARGE}",
            f"Invoiced on {DAY_OF_CHARGE} paid by bank transfer on invoice, within 30 days $200.00",
        ],
        never=["No card", "Next charge", "Charged on"],
    ),
    "no card where a charge is near": Case(
        account=NO_CARD,
        subscriptions=[{}],
        says=["No card is saved. The next charge is on 1 December 2026.", "no card is saved $200.00"],
    ),
    "the subscription's own method alone": Case(
        account=NO_CARD,
        subscriptions=[{"pays": OWN}],
        says=["Mastercard ending 4444", f"Charged on {DAY_OF_CHARGE} with Mastercard ending 4444"],
        never=["No card", "Nothing saved", "no card is saved"],
    ),
    "the subscription's own method before the customer's": Case(
        subscriptions=[{"pays": OWN}],
        says=[
            "with Mastercard ending 4444",
            "Mastercard ending 4444 Pays Team Pro seat",
            "Visa ending 4242 Pays no subscription now",
        ],
        never=["with Visa ending 4242"],
    ),
    "a method without digits": Case(
        account=NO_CARD,
        subscriptions=[{"pays": LINK}],
        says=["with Link $200.00", "Payment method Update card Link"],
        never=["ending"],
    ),
    "not asked yet": Case(
        subscriptions=[{"preview": None}],
        says=["Next charge Not known Stripe has not told the amount yet."],
        never=["$0.00", "The next charge is on"],
    ),
    "no further charge": Case(
        subscriptions=[{"preview": NONE_TO_COME}],
        says=["Next charge None Stripe announces no further charge."],
        never=["$0.00"],
    ),
    "a preview that failed": Case(
        subscriptions=[{"preview": {**NO_PREVIEW, "missing": "something_else"}}],
        says=["Next charge Not known Stripe could not work out the amount."],
        never=["$0.00"],
    ),
    "by use alone": Case(
        subscriptions=[
            {
                "preview": preview(0),
                "items": [{**SubscriptionFactory.build().items[0], "metered": True, "unit_amount": ""}],
            }
        ],
        says=[f"The amount depends on use. Stripe tells it when the period ends, on {DAY_OF_CHARGE}."],
        never=["$0.00"],
    ),
    "partly by use": Case(
        subscriptions=[
            {
                "items": [
                    SubscriptionFactory.build().items[0],
                    {**SubscriptionFactory.build().items[0], "metered": True},
                ]
            }
        ],
        says=[f"$200.00 on {DAY_OF_CHARGE}, and what is used until then"],
        never=["so far"],
    ),
}

INVOICES = {
    "failed with its method and reason": Case(
        invoices=[
            {
                "status": "open",
                "payment_status": "failed",
                "failure_code": "insufficient_funds",
                "next_attempt_at": LATER,
                "document": document(
                    [line("Seats", 5825)], payments=[payment(5825, status="failed", last4="0341")]
                ),
            }
        ],
        says=[
            "Due now $58.25 Invoice TEST",
            "of 1 November 2026",
            "Visa ending 0341 could not be charged: there was not enough money in the account.",
            "Next attempt on 20 January 2100.",
            "Pay $58.25 with Visa ending 4242 Use another card",
        ],
        never=["Open invoice", "Due now Nothing"],
    ),
    "failed with a code that is kept quiet": Case(
        invoices=[{"status": "open", "payment_status": "failed", "failure_code": "fraudulent"}],
        says=["The payment failed: the bank gave no reason.", "Stripe does not try again by itself."],
        never=["fraud"],
    ),
    "the card that was tried has expired": Case(
        invoices=[{"status": "open", "payment_status": "failed", "failure_code": "expired_card"}],
        says=["The payment failed: the card has expired.", "Use another card"],
    ),
    "the card that was tried is replaced": Case(
        invoices=[
            {
                "status": "open",
                "payment_status": "failed",
                "failure_code": "expired_card",
                "document": document(
                    [line("Seats", 5825)], payments=[payment(5825, status="failed", last4="0069")]
                ),
            }
        ],
        says=[
            "Visa ending 0069 could not be charged: the card has expired.",
            "Pay $58.25 with Visa ending 4242",
        ],
    ),
    "to be confirmed": Case(
        invoices=[{"status": "open", "payment_status": "requires_action"}],
        says=["Due now $58.25", "The bank wants you to confirm the payment. Confirm payment"],
    ),
    "on its way": Case(
        invoices=[{"status": "open", "payment_status": "processing"}],
        says=["Due now Nothing a payment is on its way", "A payment of $58.25 is on its way."],
        never=["Open invoice", "failed", "Pay invoice", "besides"],
    ),
    "overdue": Case(
        invoices=[{"status": "open", "due_at": BEFORE, "charged_automatically": False}],
        says=["Due now $58.25", "It was due on 23 November 2026.", "Show how to pay"],
        never=["Pay $58.25", "Use another card"],
    ),
    "due later": Case(
        invoices=[{"status": "open", "due_at": LATER, "charged_automatically": False}],
        says=["To pay $58.25", "It is not paid yet. It is due on 20 January 2100."],
        never=["Due now"],
    ),
    "to be charged by itself": Case(
        invoices=[{"status": "open", "next_attempt_at": LATER}],
        says=["It is not paid yet. Stripe charges it on 20 January 2100."],
    ),
    "partly paid": Case(
        invoices=[{"status": "open", "amount_paid": 2000, "amount_remaining": 3825}],
        says=["Due now $38.25", "$20.00 of $58.25 is paid."],
    ),
    "written off": Case(
        invoices=[{"status": "uncollectible"}],
        says=["Written off", "Due now Nothing"],
        never=["All paid"],
    ),
    "two currencies": Case(
        invoices=[
            {"status": "open", "payment_status": "failed"},
            {"status": "open", "payment_status": "failed"},
            {"status": "open", "currency": "eur"},
        ],
        says=["€58.25", "$116.50", "on 3 invoices"],
    ),
}


@pytest.fixture(autouse=True)
def stripe_is_down(settings: LazySettings) -> None:
    """No page needs Stripe: here nothing answers."""
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"


@pytest.fixture
def client(admin: Membership, sign_in: SignIn) -> Client:
    return sign_in(admin)


def body_of(client: Client, organization: Organization) -> str:
    return client.get(billing_url(organization)).content.decode()


def page_of(client: Client, organization: Organization) -> str:
    return text_of(client.get(billing_url(organization)))


def make(case: Case, organization: Organization) -> None:
    if case.account is not None:
        BillingAccountFactory(organization=organization, **case.account)
    for fields in case.subscriptions:
        SubscriptionFactory(organization=organization, **fields)
    for fields in case.invoices:
        InvoiceFactory(organization=organization, **fields)


@pytest.mark.parametrize("name", [*SUBSCRIPTIONS, *INVOICES])
def test_the_page_says_what_is_so_and_nothing_else(
    name: str, client: Client, organization: Organization
) -> None:
    case = {**SUBSCRIPTIONS, **INVOICES}[name]
    make(case, organization)
    page = page_of(client, organization)
    assert [words for words in case.says if words not in page] == []
    assert [words for words in case.never if words in page] == []


@pytest.mark.parametrize("name", [*SUBSCRIPTIONS, *INVOICES])
def test_a_page_has_one_primary_act_at_most(name: str, client: Client, organization: Organization) -> None:
    make({**SUBSCRIPTIONS, **INVOICES}[name], organization)
    assert body_of(client, organization).count("button primary") <= 1


def test_what_is_owed_comes_before_all_else(client: Client, organization: Organization) -> None:
    make(SUBSCRIPTIONS["past due"], organization)
    page = page_of(client, organization)
    places = [page.index(word) for word in ("Due now", "Pay $", "Next charge", "Plan", "Invoices")]
    assert places == sorted(places)


def test_an_expired_card_asks_for_another_one_once(client: Client, organization: Organization) -> None:
    month = timezone.now() - timedelta(days=40)
    BillingAccountFactory(organization=organization, card_exp_month=month.month, card_exp_year=month.year)
    SubscriptionFactory(organization=organization)
    InvoiceFactory(organization=organization, status="open", payment_status="failed")
    body, page = body_of(client, organization), page_of(client, organization)
    assert re.findall(r'<button class="button primary"[^>]*>\s*Use another card', body) != []
    assert page.count("Use another card") == 1
    assert "expired on" not in page


@pytest.mark.parametrize(
    ("days", "sentence", "act"),
    [
        (10, "Visa ending 4242 expires on", "Update card"),
        (-40, "Visa ending 4242 expired on", "Use another card"),
    ],
)
def test_a_card_that_runs_out_is_told_of(
    days: int,
    sentence: str,
    act: str,
    client: Client,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = timezone.now().replace(day=10)
    monkeypatch.setattr(timezone, "now", lambda: day)
    month = day + timedelta(days=days)
    BillingAccountFactory(organization=organization, card_exp_month=month.month, card_exp_year=month.year)
    page = page_of(client, organization)
    assert sentence in page
    assert act in page


def test_a_card_that_pays_nothing_is_not_told_of(client: Client, organization: Organization) -> None:
    month = timezone.now() - timedelta(days=40)
    BillingAccountFactory(organization=organization, card_exp_month=month.month, card_exp_year=month.year)
    SubscriptionFactory(organization=organization, pays=OWN)
    page = page_of(client, organization)
    assert "Visa ending 4242 expired on" not in page
    assert "Visa ending 4242 Pays no subscription now Expired on" in page


@pytest.mark.parametrize("status", SUBSCRIPTION_STATUSES)
def test_the_page_takes_the_same_subscriptions_for_current_as_everybody_else(
    admin: Membership, status: str
) -> None:
    SubscriptionFactory(organization=admin.organization, status=status)
    is_current = Subscription.objects.for_org(admin.organization).current().exists()
    assert bool(billing_page(admin).upcoming) == is_current


def test_an_organization_that_never_paid_sees_why_everything_is_empty(
    client: Client, organization: Organization
) -> None:
    page = page_of(client, organization)
    assert "Enterprise Growth, invoiced yearly" in page
    assert "Due now Nothing no invoices yet" in page
    assert "Next charge None no subscription" in page
    assert "No card saved" in page
    assert "Add card" in page
    assert "No invoices yet" in page
    assert "as Stripe had them" not in page


def test_the_next_charge_adds_up_line_by_line(client: Client, organization: Organization) -> None:
    """With a discount, tax, and a balance; each line with its period."""
    BillingAccountFactory(organization=organization)
    tax = {
        "name": "Sales tax",
        "jurisdiction": "New York",
        "percentage": "8.875",
        "inclusive": False,
        "amount": 47_925,
        "taxable": 540_000,
        "reason": "standard_rated",
    }
    known = preview(
        575_925,
        [line("Enterprise Growth", 650_000), line("Unused time on Enterprise", -50_000)],
        total=587_925,
        discounts=[{"name": "Partner, 10%", "amount": 60_000}],
        taxes=[tax],
        starting_balance=-12_000,
    )
    SubscriptionFactory(organization=organization, preview=known)
    page = page_of(client, organization)
    assert "Next charge $5,759.25 on 1 December 2026, tax included" in page
    assert (
        "Enterprise Growth 1 October – 1 November 2026 $6,500.00"
        " Unused time on Enterprise 1 October – 1 November 2026 -$500.00"
        " Subtotal $6,000.00 Discount Partner, 10% -$600.00"
        " Sales tax, New York 8.875% of $5,400.00 $479.25 Total $5,879.25"
        " Applied balance -$120.00"
        " Charged on 1 December 2026 with Visa ending 4242 $5,759.25"
    ) in page


def test_subscriptions_of_the_same_day_are_each_shown_and_summed(
    client: Client, organization: Organization
) -> None:
    BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization, status="paused")
    SubscriptionFactory(organization=organization, preview=preview(5000), pays=OWN)
    SubscriptionFactory(organization=organization, preview=preview(20_000))
    page = page_of(client, organization)
    assert "Next charge $250.00 on 1 December 2026, for 2 subscriptions" in page
    assert "Charged on 1 December 2026 with Mastercard ending 4444 $50.00" in page
    assert "Charged on 1 December 2026 with Visa ending 4242 $200.00" in page
    assert "Nothing is charged while the subscription is paused." in page
    assert "All on 1 December 2026 $250.00" in page
    assert "Paid by Mastercard ending 4444" in page


def test_on_demand_credits_stand_beside_the_next_charge(client: Client, organization: Organization) -> None:
    """The design's vector: 450,000 credits on Team Growth cost $75.00, over the subscription's period."""
    organization.edition_code = "team-growth"
    organization.save()
    start = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=40)
    SubscriptionFactory(organization=organization, period_start=start, period_end=start + timedelta(days=365))
    count(organization, start, start - timedelta(hours=1))
    page = page_of(client, organization)
    assert "Next charge $200.00 on 1 December 2026" in page
    assert "On-demand credits about $75.00 by our count, before tax, not in Stripe's figures" in page
    assert "150,000 of them are free; the other 300,000 are on demand." in page
    assert "450,000 Free −150,000 On demand, $0.00025 each 300,000 About, before tax $75.00" in page


def test_credits_are_counted_over_the_period_of_the_editions_own_subscription(
    client: Client, organization: Organization
) -> None:
    organization.edition_code = "team-growth"
    organization.save()
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    items = [{**SubscriptionFactory.build().items[0], "lookup_key": "team-growth-monthly"}]
    for start, fields in ((today - timedelta(days=9), {"items": items}), (today - timedelta(days=1), {})):
        end = start + timedelta(days=30)
        SubscriptionFactory(organization=organization, period_start=start, period_end=end, **fields)
    SubscriptionFactory(organization=organization, period_end=today)
    count(organization, today - timedelta(days=5))
    assert "450,000 used since" in page_of(client, organization)


def count(organization: Organization, *hours: datetime) -> None:
    for hour in hours:
        record_counts(
            organization_id=organization.pk,
            counts=[HourlyReading(stack="app", hour=hour, resources=450_000)],
        )


def test_an_unpaid_invoice_is_told_of_though_newer_ones_are_paid(
    client: Client, organization: Organization
) -> None:
    unpaid = InvoiceFactory(
        organization=organization, status="open", created_at=datetime(2025, 1, 1, tzinfo=UTC)
    )
    for _newer in range(6):
        InvoiceFactory(organization=organization)
    assert f"Due now $58.25 Invoice {unpaid.number}" in page_of(client, organization)


def test_the_sum_of_what_is_owed_is_of_all_invoices(client: Client, organization: Organization) -> None:
    """Also where there are more than the page shows, and without those on their way."""
    for _one in range(OPEN_SHOWN + 3):
        InvoiceFactory(organization=organization, status="open")
    for _one in range(2):
        InvoiceFactory(organization=organization, status="open", payment_status="processing")
    page = page_of(client, organization)
    assert f"Due now $1,339.75 on {OPEN_SHOWN + 3} invoices" in page
    assert "See all invoices" in page


@pytest.mark.parametrize("payment_status", ["", "failed", "processing"])
@pytest.mark.parametrize("edition", ["team-growth", "team-pro", "enterprise-growth"])
@pytest.mark.parametrize("rows", [1, 12, 2 * OPEN_SHOWN + 2])
def test_the_billing_page_takes_few_statements_however_many_rows(
    rows: int,
    edition: str,
    payment_status: str,
    admin: Membership,
    sign_in: SignIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    organization = admin.organization
    organization.edition_code, organization.seats = edition, 50
    organization.save()
    BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization)
    for number in range(rows):
        state = {"status": "open", "payment_status": payment_status} if number % 2 else {}
        InvoiceFactory(organization=organization, **state)
    client = sign_in(admin)
    with django_assert_max_num_queries(EVERY_REQUEST + PAGE_BUDGET):
        assert page_of(client, organization)


@pytest.mark.parametrize(("status", "is_announced"), [("active", True), ("paused", False)])
def test_the_list_of_organizations_announces_what_the_page_announces(
    status: str, is_announced: bool, client: Client, organization: Organization
) -> None:
    BillingAccountFactory(organization=organization)
    SubscriptionFactory(organization=organization, status=status)
    for page in (page_of(client, organization), text_of(client.get(reverse("organizations")))):
        assert ("$200.00 on 1 December 2026" in page) is is_announced


def test_more_people_than_seats_are_told_with_what_to_do(
    client: Client, member: Membership, organization: Organization
) -> None:
    organization.edition_code, organization.seats = "team-pro", 1
    organization.save()
    assert "1 seat is bought and 2 are taken. Remove 1 person" in page_of(client, organization)
