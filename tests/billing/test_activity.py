"""Billing activity: of the audit log what is about billing, without the names that a reader may not see."""

import re
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit import registry
from audit.models import AuditEvent
from audit.registry import Action, all_actions
from audit.services import Actor, record
from billing.actions import CARD_SETUP_STARTED, CARD_UPDATED, INVOICE_PAID
from billing.selectors import activity, activity_page, latest_activity
from orgs.actions import ROLE_CHANGED, SEATS_CHANGED
from orgs.models import Membership
from tests.billing.pages import billing_url, text_of
from tests.conftest import SignIn
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db

VISA = {"kind": "card", "brand": "visa", "last4": "4242"}


def changed_card(membership: Membership) -> None:
    record(
        CARD_UPDATED, actor=Actor.person(membership.user), organization=membership.organization, method=VISA
    )


def actors(reader: Membership) -> list[str]:
    return [happening.actor for happening in latest_activity(reader)]


def test_each_reader_is_told_who_it_was_as_far_as_they_may_know(
    admin: Membership, billing_manager: Membership
) -> None:
    organization = admin.organization
    colleague = MembershipFactory(organization=organization, role=billing_manager.role)
    gone = MembershipFactory(organization=organization)
    for who in (admin, billing_manager, colleague, gone):
        changed_card(who)
    gone.delete()
    record(
        INVOICE_PAID,
        actor=Actor.stripe(),
        organization=organization,
        target=("in_1", "A-1"),
        amount={"amount": 5_000, "currency": "usd"},
    )
    assert actors(billing_manager) == [
        "Stripe",
        "Somebody who has left",
        "A billing manager",
        "You",
        "An admin",
    ]
    assert actors(admin) == ["Stripe", str(gone.user), str(colleague.user), str(billing_manager.user), "You"]
    assert latest_activity(admin)[0].sentence == "received $50.00 for invoice A-1"


def test_staff_and_the_portal_are_told_by_what_they_are(admin: Membership) -> None:
    for actor in (Actor.staff(uuid4(), ticket="1", reason="Asked"), Actor.system()):
        record(CARD_UPDATED, actor=actor, organization=admin.organization, method=VISA)
    assert actors(admin) == ["This portal", "Support staff"]


def test_only_what_is_about_billing_and_of_the_organization_is_told(admin: Membership) -> None:
    changed_card(MembershipFactory())
    record(
        ROLE_CHANGED,
        actor=Actor.person(admin.user),
        organization=admin.organization,
        target=("1", "Milo"),
        old="member",
        new="admin",
    )
    record(CARD_SETUP_STARTED, actor=Actor.person(admin.user), organization=admin.organization)
    assert latest_activity(admin) == []
    record(SEATS_CHANGED, actor=Actor.person(admin.user), organization=admin.organization, old=10, new=12)
    assert [one.sentence for one in latest_activity(admin)] == ["changed the seats from 10 to 12"]


def test_every_action_of_billing_is_told_unless_it_says_otherwise() -> None:
    of_billing = set(registry.billing_codes())
    declared = [
        one
        for one in all_actions()
        if one.code.startswith(("card.", "details.", "invoice.", "subscription."))
    ]
    attempts = {"card.setup_started", "subscription.purchase_begun"}
    assert {one.code for one in declared if type(one) is Action} == attempts
    assert of_billing >= {one.code for one in declared} - attempts


def test_the_page_shows_the_last_five_and_leads_to_all(
    admin: Membership, billing_manager: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "PAGE_SIZE", 4)
    client = sign_in(billing_manager)
    assert "Billing activity" not in text_of(client.get(billing_url(admin.organization)))
    for _number in range(6):
        changed_card(admin)
    page = text_of(client.get(billing_url(admin.organization)))
    assert page.count("An admin made Visa ending 4242 what pays") == 5
    assert str(admin.user) not in page
    assert told_on_each_page(client, billing_url(admin.organization, "activity/")) == [4, 2]


def told_on_each_page(client: Client, url: str) -> list[int]:
    told = []
    query = ""
    while True:
        page = client.get(url + query).content.decode()
        told.append(page.count("what pays"))
        older = re.search(r'href="(\?before=\d+)"', page)
        if older is None:
            return told
        query = older[1]


def test_the_last_page_of_many_has_no_next(admin: Membership) -> None:
    for _number in range(3):
        changed_card(admin)
    page = activity_page(admin, before=AuditEvent.objects.latest("id").pk)
    assert (len(page.happenings), page.older) == (2, None)


def test_an_empty_page_says_what_will_be_there(billing_manager: Membership, sign_in: SignIn) -> None:
    url = billing_url(billing_manager.organization, "activity/")
    for query in ("", "?before=0", "?before=x", f"?before={'9' * 30}"):
        assert "Nothing yet" in text_of(sign_in(billing_manager).get(url + query))


def test_it_takes_one_statement(admin: Membership, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with transaction.atomic():
        for _number in range(9):
            changed_card(MembershipFactory(organization=admin.organization))
    with django_assert_num_queries(1):
        assert len(latest_activity(admin)) == 5
