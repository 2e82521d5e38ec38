"""What can be under way for a person in an organization: each begins here as people begin it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from django.test import Client
from django.utils import timezone

from billing.details import details_of
from billing.mirror.customers import sync_customer
from billing.mirror.invoices import sync_invoice
from billing.models import Invoice, OperationKind
from billing.operations.cards import start_card_setup
from billing.operations.details import update_details
from billing.operations.payment_links import make_card_link, make_invoice_link, open_link
from invitations import services as invitations
from orgs.access_requests import request_access
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Permission, Role, may
from orgs.services import Change
from outbox.models import OutgoingEmail, State
from outbox.registry import _kinds, kinds_to_outsiders
from outbox.services import enqueue
from programs.services import allow
from tests.billing.sales import buy, paid_at_stripe, put_up_for_sale
from tests.billing.world import MASTERCARD, StripeWorld, finished_at_stripe
from tests.factories import MembershipFactory, OrganizationFactory
from tests.programs.factories import ProgramFactory
from tests.teams.factories import TeamMembershipFactory
from tests.world import signed_in
from tokens.models import AccessToken
from tokens.services import make_token

P = Permission
INSIDE_MAILS = sorted(set(_kinds) - set(kinds_to_outsiders()))


class Scene:
    """An organization with an admin, who stays, and a person of some role, who has a second address."""

    def __init__(self, stripe: StripeWorld, role: Role) -> None:
        self.stripe = stripe
        self.organization = OrganizationFactory()
        self.admin = MembershipFactory(organization=self.organization, role=Role.ADMIN)
        self.person = MembershipFactory(organization=self.organization, role=role)
        EmailAddress.objects.create(user=self.person.user, email=f"second.{self.person.user.email}")
        self.addresses = {self.person.user.email, f"second.{self.person.user.email}"}
        self.account = stripe.account_for(self.organization)
        put_up_for_sale(stripe)
        self.browser: Client = signed_in(self.person.user)
        self.secret = ""

    @property
    def second_address(self) -> str:
        return f"Second.{self.person.user.email}"

    def refused_by_stripe(self, method: str, path: str, act: Callable[[], object]) -> None:
        """Stripe answers an error once, and the portal goes on by itself, or doesn't."""
        self.stripe.control.fail(method=method, path=path)
        act()

    def page_not_made(self, begin: Callable[[], object]) -> None:
        def press() -> None:
            with pytest.raises(Refused):
                begin()

        self.refused_by_stripe("POST", "/v1/checkout/sessions", press)

    def change_details(self, wanted: dict[str, object]) -> None:
        """By the person, if they may, with Stripe not answering."""
        actor = self.person if may(self.person, P.BILLING_DETAILS_UPDATE) else self.admin
        sync_customer(self.account)
        self.account.refresh_from_db()
        seen = details_of(self.account)
        changes = {name: Change(seen[name], value) for name, value in wanted.items()}
        self.refused_by_stripe(
            "POST", "/v1/customers/*", lambda: update_details(actor=actor, changes=changes)
        )

    def owed_invoice(self) -> Invoice:
        sync_invoice(self.account, self.stripe.invoice(self.account).id)
        return Invoice.objects.for_org(self.organization).get()

    def put_mails(self) -> None:
        for kind, state in zip(
            INSIDE_MAILS, cycle([State.QUEUED, State.WRITING, State.SENDING]), strict=False
        ):
            mail = put_mail(kind, self.person)
            if state is not State.QUEUED:
                OutgoingEmail.objects.lease(mail.pk, state=state)

    def write_to_them(self) -> None:
        """By Stripe, as the one mail address of the customer."""
        self.stripe.api.customers.update(self.account.stripe_customer_id, {"email": self.second_address})
        sync_customer(self.account)

    def make_token(self) -> None:
        _token, self.secret = make_token(
            actor=self.person,
            key=uuid.uuid4(),
            name="CI",
            scopes=[P.MEMBERS_LIST],
            expires_at=timezone.now() + timedelta(days=30),
            of_organization=False,
        )
        assert AccessToken.objects.filter(membership=self.person).exists()


def put_mail(kind: str, person: Membership) -> OutgoingEmail:
    with transaction.atomic():
        mail = enqueue(
            _kinds[kind],
            to=person.user.email,
            dedupe_key=str(uuid.uuid4()),
            organization_id=person.organization_id,
        )
    assert mail is not None
    return mail


@dataclass(frozen=True)
class Row:
    """``needs``: None where it happens to people of every role. Of those of one ``kind`` there is one."""

    kind: str
    needs: Permission | None
    begin: Callable[[Scene], object]


ADD = OperationKind.ADD_METHOD
UNDER_WAY = {
    "card page": Row("card", P.BILLING_CARD_UPDATE, lambda one: start_card_setup(actor=one.person)),
    "card page not made yet": Row(
        "card",
        P.BILLING_CARD_UPDATE,
        lambda one: one.page_not_made(lambda: start_card_setup(actor=one.person)),
    ),
    "card entered": Row(
        "card", P.BILLING_CARD_UPDATE, lambda one: finished_at_stripe(one.stripe, one.person, MASTERCARD)
    ),
    "page to add a method": Row(
        "method", P.BILLING_CARD_UPDATE, lambda one: start_card_setup(actor=one.person, kind=ADD)
    ),
    "page to add a method not made yet": Row(
        "method",
        P.BILLING_CARD_UPDATE,
        lambda one: one.page_not_made(lambda: start_card_setup(actor=one.person, kind=ADD)),
    ),
    "page to buy": Row("purchase", P.BILLING_SUBSCRIPTION_UPDATE, lambda one: buy(one.person)),
    "page to buy not made yet": Row(
        "purchase", P.BILLING_SUBSCRIPTION_UPDATE, lambda one: one.page_not_made(lambda: buy(one.person))
    ),
    "purchase paid": Row(
        "purchase", P.BILLING_SUBSCRIPTION_UPDATE, lambda one: paid_at_stripe(one.stripe, one.person)
    ),
    "card link": Row("link", P.BILLING_CARD_UPDATE, lambda one: make_card_link(actor=one.person)),
    "card link opened": Row(
        "link", P.BILLING_CARD_UPDATE, lambda one: open_link(make_card_link(actor=one.person))
    ),
    "invoice link": Row(
        "invoice",
        P.BILLING_INVOICES_PAY,
        lambda one: make_invoice_link(actor=one.person, invoice_id=one.owed_invoice().pk),
    ),
    "Stripe's mails": Row("contact", None, Scene.write_to_them),
    "Stripe's mails on their way": Row(
        "contact", None, lambda one: one.change_details({"email": one.second_address})
    ),
    "copies": Row(
        "contact",
        None,
        lambda one: update_details(
            actor=one.admin, changes={"copies_to": Change([], ["books@acme.test", one.second_address])}
        ),
    ),
    "copies on their way": Row(
        "contact",
        None,
        lambda one: one.change_details({"name": "Acme Ltd", "copies_to": [one.second_address]}),
    ),
    "mails": Row("mails", None, Scene.put_mails),
    "invitation": Row(
        "invitation",
        P.MEMBERS_INVITE,
        lambda one: invitations.invite_by_mail(
            actor=one.person, email="lee@ledger.test", role=Role.BILLING_MANAGER
        ),
    ),
    "invite link": Row(
        "invite link",
        P.MEMBERS_INVITE,
        lambda one: invitations.create_link(actor=one.person, role=Role.MEMBER),
    ),
    "access token": Row("token", P.ACCESS_TOKENS_OWN, Scene.make_token),
    "program": Row("program", P.BILLING_VIEW, lambda one: allow(actor=one.person, client=ProgramFactory())),
    "access request": Row(
        "request",
        P.ACCESS_REQUEST,
        lambda one: (
            may(one.person, P.AUDIT_READ) or request_access(actor=one.person, permission=P.AUDIT_READ)
        ),
    ),
    "team": Row(
        "team",
        P.TEAMS_LIST,
        lambda one: TeamMembershipFactory(team__organization=one.organization, membership=one.person),
    ),
}


def chosen_for(role: Role, turn: int) -> list[str]:
    """Of each kind the ``turn``-th row of those that people of that role can begin."""
    scene_of = Membership(organization=OrganizationFactory.build(), role=role)
    kinds: dict[str, list[str]] = {}
    for name, row in UNDER_WAY.items():
        if row.needs is None or may(scene_of, row.needs):
            kinds.setdefault(row.kind, []).append(name)
    return [names[turn % len(names)] for names in kinds.values()]
