"""On-demand credits come on an invoice once, whatever becomes of workers, keys and subscriptions."""

from functools import partial

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from billing import tasks
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, OnDemandItem, StripeOperation
from billing.operations.on_demand import ask_for_missing_items
from billing.selectors.on_demand import State, compare
from credits.models import Entry, Ledger, OnDemandCharge
from credits.services.periods import follow_terms
from orgs.models import Organization
from orgs.policy import StaffRole
from support.principals import staff_in
from tests.billing.on_demand import (
    JULY,
    JUNE,
    MAY,
    ask,
    ask_and_sweep,
    charge_of,
    charged_lines,
    items,
    lines,
    operations,
    subscribe,
)
from tests.billing.world import StripeWorld
from tests.credits.months import DAY, HOUR, count, terms
from tests.support.factories import StaffSessionFactory, staff_member

pytestmark = pytest.mark.django_db

DONE = [("done", "invoice")]


def test_the_next_invoice_of_a_subscription_takes_it(stripe: StripeWorld, account: BillingAccount) -> None:
    organization = account.organization
    stripe.attach_default(account)
    subscribe(stripe, account)
    reconcile(organization)
    charge_of(organization)
    for _again in range(2):
        ask_and_sweep(organization)

    (item,) = items(stripe, account)
    assert (item.invoice, item.amount, item.currency, item.parent) == (None, 75_00, "usd", None)
    assert item.description == "On-demand credits, 1–31 May 2026 (UTC): 300,000 credits at $0.00025"
    assert (item.period.start, item.period.end) == (MAY.timestamp(), JUNE.timestamp())
    told = item.metadata.to_dict()
    assert told.pop("portal_operation") == str(StripeOperation.objects.get().pk)
    assert told == {
        "portal_organization": str(organization.pk),
        "credits_since": "2026-05-01T00:00:00+00:00",
        "credits_until": "2026-06-01T00:00:00+00:00",
        "credits": "300000",
    }
    assert operations(organization) == DONE
    assert OnDemandItem.objects.unbilled().get().stripe_id == item.id

    stripe.control.advance(days=32)
    reconcile(organization)
    assert charged_lines(organization) == ["2026-05-01T00:00:00+00:00"]
    ((invoice, _amount),) = lines(stripe, account)
    assert OnDemandItem.objects.get().invoice_id == invoice
    assert len(stripe.calls("POST", "/v1/invoiceitems")) == 1


def test_without_a_subscription_it_gets_an_invoice_that_is_charged_by_itself(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    charge_of(account.organization)
    ask_and_sweep(account.organization)
    stripe.control.advance(hours=2)
    (invoice,) = stripe.api.invoices.list({"customer": account.stripe_customer_id}).data
    assert (invoice.status, invoice.total, invoice.currency) == ("paid", 75_00, "usd")
    assert OnDemandItem.objects.get().invoice_id == invoice.id
    event = AuditEvent.objects.get(action="credits.on_demand_invoiced")
    assert event.data["amount"] == {"amount": 75_00, "currency": "usd"}


def test_a_year_does_not_keep_it_waiting_and_its_invoice_is_sent_as_the_subscriptions_are(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    rate = stripe.api.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
    subscribe(
        stripe,
        account,
        interval="year",
        collection_method="send_invoice",
        days_until_due=14,
        default_tax_rates=[rate.id],
    )
    reconcile(account.organization)
    charge_of(account.organization)
    ask_and_sweep(account.organization)
    ((found, _amount),) = lines(stripe, account)
    invoice = stripe.api.invoices.retrieve(found)
    assert (invoice.subtotal, invoice.total, invoice.collection_method) == (75_00, 90_00, "send_invoice")
    assert invoice.due_date - invoice.created == 14 * 86400
    assert invoice.auto_advance


def test_what_an_ended_subscription_left_waiting_gets_an_invoice(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    subscription = subscribe(stripe, account)
    reconcile(account.organization)
    charge_of(account.organization)
    ask_and_sweep(account.organization)
    assert lines(stripe, account) == []
    stripe.api.subscriptions.cancel(subscription.id)
    reconcile(account.organization)
    for _again in range(2):
        ask_and_sweep(account.organization)
    assert [amount for _invoice, amount in lines(stripe, account)] == [75_00]
    assert operations(account.organization) == DONE * 2
    assert AuditEvent.objects.filter(action="credits.on_demand_invoiced").count() == 1


def test_the_last_invoice_of_a_subscription_takes_it_too(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    subscription = subscribe(stripe, account)
    stripe.api.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    reconcile(account.organization)
    charge_of(account.organization)
    ask_and_sweep(account.organization)
    stripe.control.advance(days=33)
    reconcile(account.organization)
    ask_and_sweep(account.organization)
    assert [amount for _invoice, amount in lines(stripe, account)] == [75_00]
    assert operations(account.organization) == DONE


def test_a_customer_of_another_currency_is_left_to_support_staff(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    subscribe(stripe, account, currency="eur")
    reconcile(account.organization)
    charge_of(account.organization)
    for _again in range(2):
        ask_and_sweep(account.organization)
    assert operations(account.organization) == [("failed", "create")]
    assert items(stripe, account) == []
    event = AuditEvent.objects.get(action="billing.act_failed")
    assert event.data["outcome"]["code"] == "other_currency"


def test_less_than_a_cent_is_never_asked_for(stripe: StripeWorld, account: BillingAccount) -> None:
    charge_of(account.organization, credits=19, amount=0)
    ask_and_sweep(account.organization)
    assert operations(account.organization) == []


def test_what_was_taken_back_is_credited(stripe: StripeWorld, account: BillingAccount) -> None:
    stripe.attach_default(account)
    charge_of(account.organization, credits=-4_000, amount=-1_00)
    charge_of(account.organization, since=JUNE, until=JULY)
    ask_and_sweep(account.organization)
    assert sorted(amount for _invoice, amount in lines(stripe, account)) == [-1_00, 75_00]


def test_it_waits_for_a_customer_and_a_new_one_pays_what_a_deleted_one_was_not_asked_for(
    stripe: StripeWorld, organization: Organization
) -> None:
    charge_of(organization)
    ask_and_sweep(organization)
    assert operations(organization) == []

    account = stripe.account_for(organization)
    ask(organization)
    stripe.api.customers.delete(account.stripe_customer_id)
    ask_and_sweep(organization)
    assert operations(organization) == [("failed", "create")]
    account.refresh_from_db()
    assert account.customer_deleted
    ask_and_sweep(organization)

    account.stripe_customer_id = stripe.api.customers.create({"name": "Again"}).id
    account.customer_deleted = False
    account.save()
    for _again in range(2):
        ask_and_sweep(organization)
    assert operations(organization) == [("failed", "create"), ("done", "invoice")]
    assert [item.amount for item in items(stripe, account)] == [75_00]


def test_an_item_whose_invoice_was_refused_is_shown_to_staff_who_ask_again(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    """As where taxes are automatic and the customer's address is missing: else it would wait for ever."""
    charge = charge_of(account.organization)
    entry = {"hour": charge.since, "booked_at": charge.since, "credits": charge.credits}
    Entry.objects.create(organization=account.organization, number=1, **entry)
    stripe.control.fail(400, method="POST", path="/v1/invoices")
    ask_and_sweep(account.organization)
    reconcile(account.organization)
    ask_and_sweep(account.organization)
    assert operations(account.organization) == [("failed", "invoice")]
    (row,) = compare(MAY.date(), after=None, everything=False).rows
    assert (row.state, row.why) == (State.NOT_INVOICED, "not done, since Stripe did not accept it")

    staff = staff_in(StaffSessionFactory(user=staff_member(StaffRole.BILLING_SUPPORT)).pk)
    for _press in range(2):
        ask_for_missing_items(
            charge_ids=[charge.pk], within=partial(staff.within, ticket="48213", reason="Asked by phone")
        )
        tasks.sweep()
    assert operations(account.organization) == [("failed", "invoice"), ("done", "invoice")]
    assert [amount for _invoice, amount in lines(stripe, account)] == [75_00]
    assert compare(MAY.date(), after=None, everything=False).rows == []


def test_a_void_invoice_is_not_made_again(stripe: StripeWorld, account: BillingAccount) -> None:
    charge_of(account.organization)
    ask_and_sweep(account.organization)
    ((invoice, _amount),) = lines(stripe, account)
    stripe.api.invoices.finalize_invoice(invoice, {"auto_advance": False})
    stripe.api.invoices.void_invoice(invoice)
    reconcile(account.organization)
    ask_and_sweep(account.organization)
    assert operations(account.organization) == DONE
    assert len(items(stripe, account)) == 1


def test_a_refund_changes_nothing_of_what_was_asked_for(stripe: StripeWorld, account: BillingAccount) -> None:
    stripe.attach_default(account)
    charge_of(account.organization)
    ask_and_sweep(account.organization)
    stripe.control.advance(hours=2)
    ((invoice, _amount),) = lines(stripe, account)
    stripe.api.credit_notes.create({"invoice": invoice, "amount": 75_00, "refund_amount": 75_00})
    reconcile(account.organization)
    ask_and_sweep(account.organization)
    assert operations(account.organization) == DONE
    assert len(items(stripe, account)) == 1


@pytest.mark.parametrize("closes", [False, True], ids=["ended", "closed"])
def test_the_hours_of_a_last_period_are_invoiced_though_nothing_follows(
    closes: bool, stripe: StripeWorld, account: BillingAccount
) -> None:
    """From the hours to the invoice; also of an organization that was closed meanwhile."""
    organization = account.organization
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    span = {"since": now - 20 * DAY, "until": now - 2 * DAY}
    follow_terms(organization_id=organization.pk, terms=terms(**span, credits=50, edition_code="enterprise"))
    count(organization, {now - 10 * DAY: 4_050, now - 3 * DAY + HOUR: 400})
    # An edition without credits, so that no month of the calendar follows.
    Organization.objects.filter(pk=organization.pk).update(
        edition_code="team-pro",
        closes_after=now.date() if closes else None,
        closed_at=now if closes else None,
    )
    for _hour in range(2):
        tasks.settle_credits()
        tasks.sweep()
        Ledger.objects.update(next_attempt_at=now)
    assert OnDemandCharge.objects.get().credits == 4_400
    assert [amount for _invoice, amount in lines(stripe, account)] == [1_10]


def test_reconciliation_sees_what_is_gone_and_what_others_made(
    stripe: StripeWorld, account: BillingAccount
) -> None:
    stripe.attach_default(account)
    subscribe(stripe, account)
    reconcile(account.organization)
    charge_of(account.organization)
    ask_and_sweep(account.organization)
    (item,) = items(stripe, account)
    stripe.api.invoice_items.delete(item.id)
    other = stripe.api.invoice_items.create(
        {
            "customer": account.stripe_customer_id,
            "amount": 5,
            "currency": "usd",
            "metadata": {**item.metadata.to_dict(), "credits_since": JUNE.isoformat()},
        }
    )
    assert reconcile(account.organization).on_demand == 2
    assert reconcile(account.organization).on_demand == 0
    assert OnDemandItem.objects.get(stripe_id=item.id).gone_at is not None
    assert OnDemandItem.objects.at_stripe().get().stripe_id == other.id
    # Staff took it away on purpose: it is theirs to ask for it again.
    ask_and_sweep(account.organization)
    assert operations(account.organization) == DONE
