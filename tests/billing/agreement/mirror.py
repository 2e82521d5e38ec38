"""Whether our mirror and Stripe say the same, and all that was begun has come to its end."""

from dataclasses import asdict
from typing import Any

from billing import gateway
from billing.gateway.records import Customer
from billing.mirror.rows import values_of
from billing.models import (
    BillingAccount,
    Invoice,
    InvoiceStatus,
    PaymentMethod,
    StripeEvent,
    StripeOperation,
    Subscription,
)
from orgs.editions import EDITIONS, STARTING_EDITION
from stripe_simulator.simulator import Simulator

ADDRESSES = {"hosted_url", "pdf_url"}
# The statuses of a subscription that gives its organization what it sells.
IN_FORCE = {"active", "trialing", "past_due", "unpaid", "paused"}


def assert_all_work_is_finished() -> None:
    assert not StripeEvent.objects.filter(StripeEvent.unfinished).exists()
    assert not StripeEvent.objects.filter(state="failed").exists()
    assert not StripeOperation.objects.filter(StripeOperation.unfinished).exists()


def assert_mirror_equals_stripe(account: BillingAccount) -> None:
    customer = gateway.customer(str(account.stripe_customer_id))
    assert account.customer_deleted == customer.deleted
    assert account.payment_method_id == (customer.pays.id if customer.pays else "")
    assert set(PaymentMethod.objects.values_list("stripe_id", flat=True)) == {
        method.id for method in customer.methods
    }
    if not customer.deleted:
        _assert_details_are_the_customers(account, customer)
    subscriptions = gateway.subscriptions(customer.id)
    invoices = gateway.invoices(customer.id)
    assert not subscriptions.unreadable | invoices.unreadable
    listed = {one.id: values_of(one) for one in subscriptions.all}
    # Of what ended with its customer, no more is asked.
    there = {} if customer.deleted else listed
    rows = Subscription.objects.all()
    assert {row.stripe_id: _as_in(row, there) for row in rows if row.stripe_id in there} == there
    assert not rows.current().exclude(stripe_id__in=there).exists()
    there = {one.id: _but_addresses(values_of(one)) for one in invoices.all}
    invoices_here = Invoice.objects.exclude(status=InvoiceStatus.DELETED)
    assert {row.stripe_id: _as_in(row, there) for row in invoices_here if row.stripe_id in there} == there


def _assert_details_are_the_customers(account: BillingAccount, customer: Customer) -> None:
    assert (account.name, account.email) == (customer.name, customer.email)
    assert (account.address, account.invoice_locale) == (asdict(customer.address), customer.locale)
    assert account.tax_ids == [asdict(one) for one in customer.tax_ids]
    assert account.invoice_fields == [asdict(one) for one in customer.fields]


def _as_in(row: Subscription | Invoice, there: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in there.get(row.stripe_id, {})}


def _but_addresses(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ADDRESSES}


def assert_terms_are_the_subscriptions(simulator: Simulator, account: BillingAccount) -> None:
    editions = {edition.price_lookup_key: edition.code for edition in EDITIONS}
    organization = account.organization
    organization.refresh_from_db()
    of_customer = {"where": "AND customer = ?", "values": (account.stripe_customer_id,)}
    listed = simulator.store.select("subscription", **of_customer)
    in_force = [one for one in listed if one["status"] in IN_FORCE]
    newest_first = sorted(in_force, key=lambda one: (one["created"], one["id"]), reverse=True)
    sold = [
        (editions[item["price"]["lookup_key"]], item["quantity"])
        for one in newest_first
        for item in one["items"]["data"]
        if item["price"]["lookup_key"] in editions
    ]
    if sold:
        edition, quantity = sold[0]
        seats = quantity if organization.edition.per_seat else None
        assert (organization.edition_code, organization.seats) == (edition, seats)
    # What nobody heard of before it was gone changed nothing.
    elif listed and not in_force and Subscription.objects.exists():
        assert organization.edition_code == STARTING_EDITION
