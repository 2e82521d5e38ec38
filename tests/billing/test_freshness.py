"""When Stripe last said what a page shows, and what the page says when that is long ago."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.freshness import FRESH_FOR, is_outdated
from billing.models import BillingAccount, Invoice
from orgs.models import Membership
from tests.billing.factories import BillingAccountFactory, InvoiceFactory
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db

WARNING = "This page may be out of date."


@pytest.fixture
def reader(billing_manager: Membership, sign_in: SignIn) -> Client:
    BillingAccountFactory(organization=billing_manager.organization)
    InvoiceFactory(organization=billing_manager.organization)
    return sign_in(billing_manager)


def page_of(reader: Client, name: str) -> str:
    invoice = Invoice.objects.get()
    key = [invoice.pk] if name == "invoice" else []
    return reader.get(reverse(name, args=[invoice.organization.slug, *key])).content.decode()


@pytest.mark.parametrize("heard_ago", [timedelta(minutes=50), FRESH_FOR + timedelta(hours=1)])
@pytest.mark.parametrize("name", ["billing", "invoices", "invoice"])
def test_a_page_says_when_stripe_last_told_it(name: str, heard_ago: timedelta, reader: Client) -> None:
    heard_at = timezone.now() - heard_ago
    BillingAccount.objects.update(synced_at=heard_at, reconciled_at=heard_at)
    Invoice.objects.update(synced_at=heard_at)
    page = page_of(reader, name)
    told = rf'[aA]s Stripe had (it|them)\s+<time datetime="{heard_at:%Y-%m-%dT%H:%M:%S}Z"'
    assert re.search(told, page)
    assert "Days are in UTC." in page
    assert (WARNING in page) == (heard_ago > FRESH_FOR)


@pytest.mark.parametrize("name", ["billing", "invoices", "invoice"])
def test_where_stripe_was_never_asked_nothing_is_old(name: str, reader: Client) -> None:
    BillingAccount.objects.all().delete()
    page = page_of(reader, name)
    assert WARNING not in page
    assert "as Stripe had them" not in page


def test_an_account_that_is_compared_once_a_day_is_fresh() -> None:
    assert not is_outdated(timezone.now() - timedelta(days=1, hours=6))
    assert not is_outdated(None)
