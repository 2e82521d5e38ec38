"""One box finds a customer by whatever staff have before them, and says why."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.db.models import Q, QuerySet
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bench.statements import sent_statements
from billing.models import Invoice, StripeEvent, StripeOperation
from invitations.claims import link
from invitations.models import Invitation
from orgs.models import Organization
from orgs.policy import StaffRole
from support.models import StaffRequest
from support.search import search
from support.search.wanted import MOST
from tests.billing.factories import (
    BillingAccountFactory,
    CardSetupFactory,
    InvoiceFactory,
    PaymentMethodFactory,
    SubscriptionFactory,
)
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.security.hostile import PIECES
from tests.support.factories import StripeEventFactory
from tests.tokens.factories import AccessTokenFactory
from tests.world import staff_with
from tokens.models import AccessToken
from tokens.secret import OF_ORGANIZATION, new_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    return staff_with(StaffRole.SUPPORT)


def found_by(text: str) -> list[tuple[str, str, str]]:
    """The kind, the title and the reason of each."""
    return [(str(one.kind), one.title, one.why) for one in search(text).found]


def test_an_organization_by_name_slug_and_ids() -> None:
    acme = OrganizationFactory(name="Acme Incorporated", slug="acme", external_id="Ext-7")
    OrganizationFactory(name="Globex", slug="globex")
    assert found_by("incorp") == [("Organization", "Acme Incorporated", "Name")]
    for text, why in (("acme", "Slug"), ("Ext-7", "External id"), (str(acme.pk), "Id")):
        assert found_by(text) == [("Organization", "Acme Incorporated", why)]
        assert search(text).only


def test_a_person_by_name_and_every_address() -> None:
    person = UserFactory(name="Mira Okafor", email="mira@ledger.test")
    EmailAddress.objects.create(user=person, email="okafor@home.test")
    assert found_by("OKAF") == [("Person", "Mira Okafor", "Name")]
    assert found_by("ledger.test") == [("Person", "Mira Okafor", "Email address")]
    assert found_by("Okafor@home.test") == [("Person", "Mira Okafor", "Another address: okafor@home.test")]
    assert search("Okafor@home.test").only
    assert not search("ledger.test").only


def test_an_invited_address_leads_to_its_invitation() -> None:
    invitation = InvitationFactory(email="drew@initech.test")
    only = search("drew@initech.test").only
    assert only
    assert only.why == "Invited address"
    assert only.url == (
        f"/admin/organizations/{invitation.organization_id}/?invitation={invitation.pk}#invitations"
    )


def test_an_invoice_by_its_number_in_any_case() -> None:
    InvoiceFactory(number="NQGFGGWF-0005")
    InvoiceFactory(number="NQGFGGWF-0006")
    assert found_by("nqgfggwf-0005") == [("Invoice", "NQGFGGWF-0005", "Invoice number")]
    assert search("nqgfggwf-0005").only
    assert len(found_by("nqgfggwf")) == 2


def test_whatever_is_at_stripe_by_its_id() -> None:
    organization = OrganizationFactory()
    account = BillingAccountFactory(organization=organization)
    operation = CardSetupFactory(organization=organization, actor_id=organization.pk)
    event = StripeEventFactory(customer_id=account.stripe_customer_id, object_id="in_elsewhere")
    ids = {
        account.stripe_customer_id: "Stripe customer",
        SubscriptionFactory(organization=organization).stripe_id: "Subscription",
        InvoiceFactory(organization=organization).stripe_id: "Invoice",
        PaymentMethodFactory(organization=organization).stripe_id: "Payment method",
        event.event_id: "Event of Stripe",
        "in_elsewhere": "Event of Stripe",
        operation.stripe_id: "Operation",
        operation.idempotency_key: "Operation",
        str(operation.pk): "Operation",
    }
    for stripe_id, kind in ids.items():
        (one,) = search(stripe_id).found
        assert (one.kind, one.organization) == (kind, organization.name), stripe_id


def test_a_token_by_what_people_are_shown_of_it_and_never_by_a_secret(staff: Client) -> None:
    secret = new_secret(OF_ORGANIZATION)
    token = AccessTokenFactory(name="CI", secret=secret)
    assert found_by(token.start) == found_by(secret) == [("Access token", "CI", "Beginning of the token")]
    assert found_by(secret[:4]) == []
    assert found_by(AccessToken.objects.get().digest) == []
    staff.get("/admin/", {"find": f"{secret} "})
    assert not StaffRequest.objects.filter(path__contains=secret).exists()


def test_a_link_that_somebody_pastes_is_kept_nowhere(staff: Client) -> None:
    opened = link(by_mail(InvitationFactory()))
    staff.get("/admin/", {"find": opened})
    assert StaffRequest.objects.get().path.endswith("%2Finvitations%2F[cut]%2F")
    assert opened.split("/")[-2] not in StaffRequest.objects.get().path


def test_an_unknown_method_is_refused_plainly(staff: Client) -> None:
    assert staff.generic("VERSION-CONTROL", "/admin/").status_code == 405


@pytest.mark.parametrize("text", ["", " ", "%", "_", "a", "%%%", "'; --", "x" * 5000, "𝔞\u202e"])
def test_nonsense_is_answered_plainly(staff: Client, text: str) -> None:
    UserFactory(name="Somebody")
    answer = staff.get("/admin/", {"find": text})
    assert answer.status_code == 200
    assert "Somebody" not in answer.content.decode()


@pytest.mark.slow
def test_whatever_is_typed_nothing_breaks(staff: Client) -> None:
    for hostile in PIECES.values():
        assert staff.get(f"/admin/?find={hostile.piece}").status_code in {200, 302, 400}


def test_one_thing_that_is_named_exactly_is_gone_to_at_once(staff: Client) -> None:
    organization = OrganizationFactory(slug="acme", name="Acme")
    answer = staff.get("/admin/", {"find": "acme"})
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/organizations/{organization.pk}/")
    UserFactory(email="ada@acme.test")
    assert search("acme").only
    OrganizationFactory(name="Acme Two")
    page = staff.get("/admin/", {"find": "acme"}).content.decode()
    assert page.index("Acme</a>") < page.index("Acme Two</a>")


def test_a_long_result_is_cut_and_says_so() -> None:
    for number in range(MOST + 1):
        OrganizationFactory(name=f"Hooli {number}")
    page = search("hooli")
    assert len(page.found) == MOST
    assert [str(kind) for kind in page.cut] == ["Organization"]


def test_a_search_takes_the_same_statements_whatever_is_found() -> None:
    with sent_statements() as none:
        search("in_test")
    for _ in range(5):
        MembershipFactory(user__name="In_Test", organization__name="in_test")
        InvoiceFactory(number="IN_TEST")
    with sent_statements() as many:
        assert len(search("in_test").found) > 10
    assert len(many) == len(none) <= 10


LARGE = {
    "user_name_parts": User.objects.filter(Q(email__icontains="mira") | Q(name__icontains="mira")),
    "user_email_parts": User.objects.filter(Q(email__icontains="mira") | Q(name__icontains="mira")),
    "organization_name_parts": Organization.objects.filter(
        Q(name__icontains="mira") | Q(slug__startswith="mira")
    ),
    "invitation_email": Invitation.objects.filter(email__startswith="mira"),
    "invoice_number": Invoice.objects.filter(number__istartswith="mira"),
    "operation_stripe_id": StripeOperation.objects.filter(stripe_id="cs_mira"),
    "stripeevent_object": StripeEvent.objects.filter(object_id="pi_mira"),
    "accesstoken_start": AccessToken.objects.filter(start="bpo_mira"),
}


@pytest.mark.parametrize(("index", "rows"), LARGE.items())
def test_large_tables_are_searched_by_an_index(index: str, rows: "QuerySet[Any]") -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in rows.order_by().explain()


@pytest.mark.slow
def test_every_page_of_the_admin_has_the_box(staff: Client) -> None:
    organization = OrganizationFactory()
    for url in (
        "/admin/",
        "/admin/records/",
        reverse("admin:orgs_organization_changelist"),
        reverse("admin:orgs_organization_change", args=[organization.pk]),
        reverse("admin:support_organization", args=[organization.pk]),
        reverse("admin:support_person", args=[UserFactory().pk]),
        reverse("admin:on_demand"),
    ):
        assert 'name="find"' in staff.get(url).content.decode(), url
