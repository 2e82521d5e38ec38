"""What the demo promises: roles, editions, invoices, usage and sign-ins. Loading again changes nothing."""

import tempfile
import urllib.request
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client, TestCase, override_settings
from django.utils import timezone

from accounts.models import User
from billing.gateway.client import client
from billing.models import BillingAccount, Invoice, PaymentStatus, Subscription
from devstack.demo import organizations, people, sign_ins
from devstack.demo.cast import ACME, ORGANIZATIONS, PASSWORD
from devstack.demo.history import ensure_history
from devstack.demo.load import load
from devstack.demo.story import Account
from devstack.demo.usage import bring_up_to_now
from invitations.models import Invitation
from orgs.models import Membership, Organization
from stripe_simulator.control import Control
from stripe_simulator.server import start
from teams.models import Team
from usage.models import HourlyCount, OrganizationHour

ROLES = {
    ("acme", "admin@acme.test", "admin"),
    ("acme", "member@acme.test", "member"),
    ("globex", "admin@globex.test", "admin"),
    ("globex", "billing@globex.test", "billing_manager"),
    ("hooli", "admin@hooli.test", "admin"),
    ("hooli", "billing@globex.test", "billing_manager"),
    ("hooli", "auditor@hooli.test", "billing_viewer"),
    ("initech", "admin@initech.test", "admin"),
}
EDITIONS = {
    "acme": ("team-growth", None),
    "globex": ("enterprise-growth", None),
    "initech": ("team-pro", 12),
    "hooli": ("business-critical", None),
}
USAGE = {"HourlyCount", "OrganizationHour", "OrganizationDay"}


def table_sizes() -> dict[str, int]:
    """How many rows each model has, usage aside: an hour may begin meanwhile."""
    ours = [model for model in apps.get_models() if model.__name__ not in USAGE]
    return {model._meta.label: model._default_manager.count() for model in ours}


class SimulatorTestCase(TestCase):
    """A simulator of the class's own: it isn't rolled back after each test, as the database is."""

    simulator: Control

    @classmethod
    def setUpTestData(cls) -> None:
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        running = start(Path(folder), api_key=settings.STRIPE_SECRET_KEY)
        cls.addClassCleanup(running.stop)
        cls.enterClassContext(override_settings(STRIPE_API_BASE=running.url))
        cls.simulator = Control(running.url)


class DemoTest(SimulatorTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        load()

    def test_everybody_has_the_promised_role(self) -> None:
        roles = set(Membership.objects.values_list("organization__slug", "user__email", "role"))
        assert roles >= ROLES
        assert {role for role in roles if role[2] == "billing_manager"} <= ROLES

    def test_organizations_have_the_promised_editions(self) -> None:
        rows = Organization.objects.values_list("slug", "edition_code", "seats")
        assert {slug: (edition, seats) for slug, edition, seats in rows} == EDITIONS

    def test_acme_has_two_teams(self) -> None:
        teams = Team.objects.counted().values_list("organization__slug", "name", "people_count")
        assert set(teams) == {("acme", "Platform", 2), ("acme", "Website", 1)}

    def test_one_member_invitation_waits(self) -> None:
        waiting = Invitation.objects.pending().values_list("organization__slug", "role")
        assert list(waiting) == [("initech", "member")]

    def test_each_organization_has_invoices_with_pdf_and_a_subscription_to_its_edition(self) -> None:
        for cast in ORGANIZATIONS:
            organization = Organization.objects.get(slug=cast.slug)
            invoices = Invoice.objects.for_org(organization).issued()
            assert len(invoices) >= 3
            assert all(invoice.number and invoice.created_at <= timezone.now() for invoice in invoices)
            with urllib.request.urlopen(invoices[0].pdf_url) as pdf:
                assert pdf.read(5) == b"%PDF-"
            subscription = Subscription.objects.for_org(organization).current().get()
            assert subscription.items[0]["lookup_key"] == organization.edition.price_lookup_key
            assert subscription.items[0]["quantity"] == (organization.seats or 1)
            assert subscription.period_end is not None
            assert subscription.period_end > timezone.now()

    def test_acme_has_no_card_and_that_of_initech_failed_and_expires_next_month(self) -> None:
        assert BillingAccount.objects.get(organization__slug="acme").payment_method_id == ""
        card = BillingAccount.objects.get(organization__slug="initech")
        next_month = (timezone.now().replace(day=1) + timedelta(days=32)).replace(day=1)
        assert (card.card_exp_month, card.card_exp_year) == (next_month.month, next_month.year)
        assert Invoice.objects.get(status="open").payment_status == PaymentStatus.FAILED

    def test_on_demand_credits_are_those_of_the_usage(self) -> None:
        invoice = Invoice.objects.filter(organization__slug="acme").latest("created_at")
        line = next(line for line in invoice.document["lines"] if "On-demand" in line["description"])
        assert round(int(line["quantity"]) * 0.025) == line["amount"] == invoice.total > 0

    def test_usage_goes_up_to_the_present_hour_without_gaps(self) -> None:
        for cast in ORGANIZATIONS:
            hours = OrganizationHour.objects.filter(organization__slug=cast.slug).order_by("hour")
            first, last = hours[0].hour, hours.latest("hour").hour
            assert timezone.now() - last < timedelta(hours=1, minutes=5)
            assert timezone.now() - first > timedelta(days=31)
            assert hours.count() == (last - first) / timedelta(hours=1) + 1

    def test_loading_again_changes_nothing(self) -> None:
        before, asked = table_sizes(), len(self.simulator.requests())
        passwords = dict(User.objects.values_list("email", "password"))
        load()
        assert table_sizes() == before
        assert dict(User.objects.values_list("email", "password")) == passwords
        assert len(self.simulator.requests()) == asked

    @pytest.mark.slow
    def test_a_later_start_adds_the_hours_since(self) -> None:
        acme = Organization.objects.get(slug="acme")
        recent = timezone.now() - timedelta(hours=9)
        hours = set(OrganizationHour.objects.filter(organization=acme).values_list("hour", "resources"))
        for model in (HourlyCount, OrganizationHour):
            model.objects.filter(organization=acme, hour__gt=recent).delete()
        bring_up_to_now(acme, ACME)
        assert (
            set(OrganizationHour.objects.filter(organization=acme).values_list("hour", "resources")) >= hours
        )

    def test_everybody_signs_in_with_the_demo_s_password(self) -> None:
        for email in sign_ins.SHOWN:
            response = sign_in(Client(), email)
            self.assertRedirects(response, "/", fetch_redirect_response=False)

    def test_support_needs_the_second_factor_that_the_demo_prints(self) -> None:
        browser = Client()
        assert sign_in(browser, "support@portal.test").headers["Location"].startswith("/accounts/2fa/")
        assert browser.get("/admin/").status_code == 302
        code = sign_ins.code_of(sign_ins.totp_secret())
        assert f"now {code}" in sign_ins.text()
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        assert browser.get("/admin/").headers["Location"].startswith("/admin/session/")
        browser.post("/admin/session/", {"ticket": "48213", "reason": "They can't find an invoice"})
        assert browser.get("/admin/").status_code == 200
        assert browser.get("/admin/usage/organizationday/").status_code == 200
        assert browser.get("/admin/orgs/organization/?q=acme").status_code == 200


class HistoryTest(SimulatorTestCase):
    @pytest.mark.slow
    def test_a_past_that_was_left_half_lived_starts_over(self) -> None:
        users = people.ensure_people()
        for cast in ORGANIZATIONS:
            organizations.ensure_organization(cast, users)
        self.simulator.set_webhook_endpoint("http://127.0.0.1:1/stripe/webhook/", "whsec_test")
        self.simulator.hold_webhooks()

        with (
            patch.object(Account, "lose_card", side_effect=InterruptedError),
            pytest.raises(InterruptedError),
        ):
            ensure_history()
        ensure_history()

        assert len(client().v1.customers.list().data) == len(ORGANIZATIONS)
        counts = Counter(Invoice.objects.values_list("organization__slug", flat=True))
        assert counts == {"acme": 4, "globex": 4, "initech": 5, "hooli": 4}
        state = self.simulator.state()
        assert abs(state["clock"]["offset"]) <= 1
        assert state["webhooks"]["url"] == "http://127.0.0.1:1/stripe/webhook/"
        assert state["webhooks"]["deliveries"] == {}


def sign_in(browser: Client, email: str) -> Any:
    return browser.post("/accounts/login/", {"login": email, "password": PASSWORD})
