"""An organization on one page: failures first, in words and money, at the same cost whatever its size."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from bench.statements import sent_statements
from billing.models import BillingAccount, InvoiceStatus, OperationState, PaymentStatus
from invitations.models import MAIL_KEY
from orgs.models import Organization
from orgs.policy import Role, StaffRole
from support.selectors.work import LONGEST_ERROR, in_one_line
from tests.billing.factories import (
    BillingAccountFactory,
    CardSetupFactory,
    InvoiceFactory,
    SubscriptionFactory,
)
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.factories import InvitationFactory
from tests.support.factories import MailFactory, StripeEventFactory
from tests.world import World, staff_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return staff_with(StaffRole.SUPPORT)


@pytest.fixture
def initech() -> Organization:
    organization: Organization = OrganizationFactory(name="Initech", slug="initech")
    MembershipFactory(organization=organization, role=Role.ADMIN, user__name="Irene Kowalski")
    BillingAccountFactory(organization=organization, stripe_customer_id="cus_initech")
    return organization


def url_of(organization: Organization) -> str:
    return reverse("admin:support_organization", args=[organization.pk])


def text_of(staff: Client, organization: Organization, query: str = "") -> str:
    answer = staff.get(url_of(organization) + query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", answer.content.decode()))


def fail_something(organization: Organization) -> None:
    """What is older than all that went well."""
    long_ago = timezone.now() - timedelta(days=9)
    StripeEventFactory(
        customer_id="cus_initech",
        type="customer.tax_id.updated",
        state="failed",
        error="RateLimitError: 429",
        received_at=long_ago,
        attempts=20,
    )
    CardSetupFactory(
        organization=organization,
        actor_id=organization.pk,
        kind="pay_invoice",
        state=OperationState.FAILED,
        result={"outcome": "declined", "reason": "insufficient_funds"},
        created_at=long_ago,
        stripe_id="in_failed",
    )
    MailFactory(organization_id=organization.pk, to="gone@initech.test", created_at=long_ago)


def succeed(organization: Organization, times: int) -> None:
    for number in range(times):
        StripeEventFactory(customer_id="cus_initech")
        CardSetupFactory(organization=organization, actor_id=organization.pk, state=OperationState.DONE)
        MailFactory(organization_id=organization.pk, state="sent", sent_at=timezone.now(), error="")
        MembershipFactory(organization=organization)
        InvitationFactory(organization=organization, inviter=None, invited_by=None, invited_by_name="Ada")
        InvoiceFactory(organization=organization, number=f"GOOD-{number}")


def test_what_failed_comes_first_in_words(staff: Client, initech: Organization) -> None:
    fail_something(initech)
    succeed(initech, 7)
    page = text_of(staff, initech)
    assert "2 webhooks and operations" in page
    assert "1 mail" in page
    assert page.index("customer.tax_id.updated") < page.index("invoice.paid")
    assert "RateLimitError: 429 Tried 20 times, given up." in page
    assert page.index("Pay an invoice") < page.index("Update the card")
    assert "Not done, since the payment was declined" in page
    assert page.index("gone@initech.test") < page.index("billing@example.test")
    assert "No such mailbox" in page


def test_a_long_error_takes_one_line_and_says_that_it_is_cut() -> None:
    assert in_one_line("550\n No  such\tmailbox") == "550 No such mailbox"
    assert in_one_line("x" * LONGEST_ERROR) == "x" * LONGEST_ERROR
    assert in_one_line("x" * (LONGEST_ERROR + 1)) == "x" * (LONGEST_ERROR - 1) + "…"


def test_money_is_said_with_its_currency_and_time(staff: Client, initech: Organization) -> None:
    InvoiceFactory(
        organization=initech,
        number="NQ-0005",
        status=InvoiceStatus.OPEN,
        payment_status=PaymentStatus.FAILED,
        total=60_000,
        currency="eur",
    )
    SubscriptionFactory(organization=initech)
    page = text_of(staff, initech)
    assert "€600.00" in page
    assert "Payment failed" in page
    assert "$200.00" in page
    assert "Visa ending 4242" in page
    assert "UTC" in page
    answer = staff.get(url_of(initech)).content.decode()
    assert 'href="https://dashboard.stripe.com/test/customers/cus_initech"' in answer
    assert "{&" not in answer


def test_an_invitation_says_what_became_of_it(staff: Client, initech: Organization) -> None:
    bounced = InvitationFactory(
        organization=initech, email="drew@initech.test", sent_at=timezone.now() - timedelta(days=9)
    )
    MailFactory(dedupe_key=MAIL_KEY % (bounced.pk, 1), kind="invitation_sent", to=bounced.email)
    refused = InvitationFactory(
        organization=initech,
        last_error="no_room",
        last_error_by="kim@initech.test",
        sent_at=timezone.now() - timedelta(days=8),
    )
    succeed(initech, 7)
    page = text_of(staff, initech)
    assert "drew@initech.test by " in page
    assert page.index("Not delivered") < page.index("by Ada")
    assert "Could not be accepted by kim@initech.test: The edition had no place left." in page
    assert refused.email in page


def test_the_invitation_that_was_searched_is_shown_first(staff: Client, initech: Organization) -> None:
    wanted = InvitationFactory(
        organization=initech, email="old@initech.test", sent_at=timezone.now() - timedelta(days=99)
    )
    succeed(initech, 7)
    assert "old@initech.test" not in text_of(staff, initech)
    assert "old@initech.test" in text_of(staff, initech, f"?invitation={wanted.pk}")
    foreign = InvitationFactory(email="foreign@other.test")
    assert "foreign@other.test" not in text_of(staff, initech, f"?invitation={foreign.pk}")
    assert text_of(staff, initech, "?invitation=x")


def test_of_addresses_that_refused_an_invoice_those_are_told_that_still_get_one(
    staff: Client, initech: Organization
) -> None:
    BillingAccount.objects.filter(organization=initech).update(copies_to=["now@ledger.test"])
    for name in ("now", "former"):
        MailFactory(kind="invoice_issued", to=f"{name}@ledger.test", organization_id=initech.pk)
    page = text_of(staff, initech)
    assert "The last invoice to now@ledger.test was not delivered." in page
    assert page.count("was not delivered") == 1


def test_nothing_of_another_organization_is_on_it(world: World) -> None:
    assert "CANARY" not in text_of(world.staff, world.organization)


def test_it_costs_the_same_whatever_there_is(staff: Client, initech: Organization) -> None:
    counts = []
    fail_something(initech)
    for times in (1, 12):
        succeed(initech, times)
        staff.get(url_of(initech))
        with sent_statements() as statements:
            staff.get(url_of(initech))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 20


def test_the_first_look_costs_no_more_than_it_may(staff: Client, initech: Organization) -> None:
    succeed(initech, 1)
    with sent_statements() as statements:
        staff.get(url_of(initech))
    assert len(statements) <= 20
    assert AuditEvent.objects.for_org(initech.pk).filter(actor_kind="staff").count() == 1


def test_an_organization_with_nothing_has_a_page(staff: Client) -> None:
    page = text_of(staff, OrganizationFactory(name="Empty"))
    assert "No admin can sign in" in page
    assert "None at Stripe yet" in page


def test_an_unknown_one_is_not_found(staff: Client) -> None:
    assert staff.get("/admin/organizations/00000000-0000-0000-0000-000000000000/").status_code == 404


def test_its_lists_lead_to_all_rows_of_it_alone(staff: Client, initech: Organization) -> None:
    InvoiceFactory(organization=initech, number="OURS-1")
    InvoiceFactory(number="THEIRS-1")
    page = staff.get(url_of(initech)).content.decode()
    for link in set(re.findall(r'href="(/admin/[a-z]+/[a-z]+/\?[^"]+)"', page)):
        assert staff.get(link.replace("&amp;", "&")).status_code == 200, link
    invoices = reverse("admin:billing_invoice_changelist")
    listed = staff.get(invoices, {"of": initech.pk}).content.decode()
    assert "OURS-1" in listed
    assert "THEIRS-1" not in listed
    for nobody in ("x", "00000000-0000-0000-0000-000000000000"):
        assert "OURS-1" not in staff.get(invoices, {"of": nobody}).content.decode()
