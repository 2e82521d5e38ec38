"""The records of support staff: readable, searchable, linked to Stripe's dashboard."""

import pytest
from django.conf import LazySettings
from django.db.models import Model
from django.urls import reverse

from billing.dashboard import dashboard_url
from billing.models import StripeEvent
from orgs.policy import StaffRole
from tests.billing.factories import (
    BillingAccountFactory,
    CardSetupFactory,
    InvoiceFactory,
    SubscriptionFactory,
)
from tests.factories import UserFactory
from tests.world import staff_with


def one_of_each() -> list[Model]:
    event = StripeEvent.objects.create(
        event_id="evt_1",
        type="invoice.paid",
        customer_id="cus_1",
        object_id="in_1",
        livemode=False,
        payload={"data": {"object": {"id": "in_1", "note": "<b>bold</b>"}}},
    )
    actor = UserFactory()
    return [
        BillingAccountFactory(),
        SubscriptionFactory(),
        InvoiceFactory(),
        CardSetupFactory(actor_id=actor.pk),
        event,
    ]


@pytest.mark.slow
@pytest.mark.django_db
def test_support_staff_read_and_search_every_record() -> None:
    staff = staff_with(StaffRole.SUPPORT)
    for row in one_of_each():
        name = f"admin:billing_{row._meta.model_name}"
        listed = staff.get(reverse(f"{name}_changelist"), {"q": "Organization evt_1"})
        assert listed.status_code == 200
        shown = staff.get(reverse(f"{name}_change", args=[row.pk]))
        assert shown.status_code == 200
        assert b'name="_save"' not in shown.content
        assert b"<b>bold" not in shown.content


@pytest.mark.django_db
def test_amounts_have_their_currency_times_their_zone_and_nothing_is_raw_json() -> None:
    staff = staff_with(StaffRole.SUPPORT)
    invoice = InvoiceFactory(total=60_000, currency="eur")
    listed = staff.get(reverse("admin:billing_invoice_changelist")).content.decode()
    shown = staff.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).content.decode()
    for page in (listed, shown):
        assert "€600.00" in page
        assert "1 November 2026, 00:00 UTC" in page
        assert "{&" not in page
        assert "60000" not in page


def test_records_link_to_the_dashboard_of_the_keys_mode(settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    assert dashboard_url("cus_1") == "https://dashboard.stripe.com/test/customers/cus_1"
    settings.STRIPE_SECRET_KEY = "sk_live_x"
    assert dashboard_url("cus_1") == "https://dashboard.stripe.com/customers/cus_1"
    assert dashboard_url("cs_1") == dashboard_url("") == ""
