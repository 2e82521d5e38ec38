"""After a membership has ended nothing of the organization reaches the person, whatever was under way."""

from collections.abc import Callable, Iterable

import pytest
from django.apps import apps
from django.db.models import ForeignKey
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from audit.services import Actor
from billing.mirror.invoices import sync_invoice
from billing.models import PaymentLink, StripeOperation
from billing.payment_tokens import payment_url
from invitations.models import Invitation
from orgs.acting import acting_as
from orgs.models import AccessRequest, Membership
from orgs.policy import GRANTS, Permission, Role
from orgs.services import end_past_last_days, remove_billing_managers
from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail
from outbox.registry import kinds_to_outsiders
from programs.models import Connection
from teams.models import TeamMembership
from tests.api.program import Program, program_of, program_of_organization
from tests.billing.agreement.acts import assert_each_act_is_recorded
from tests.billing.under_way import UNDER_WAY, Scene, chosen_for
from tests.billing.world import StripeWorld, sweep_everything
from tests.sampling import sampled
from tests.tokens.factories import AccessTokenFactory
from tests.world import signed_in
from tokens.models import AccessToken

pytestmark = pytest.mark.django_db
MANAGERS = (Role.BILLING_MANAGER, Role.BILLING_VIEWER)


def by_page(scene: Scene) -> None:
    name = "manager_remove" if scene.person.role in MANAGERS else "member_remove"
    path = reverse(name, args=[scene.organization.slug, scene.person.pk])
    assert signed_in(scene.admin.user).post(path, {"shown_role": scene.person.role}).status_code == 302


def with_others(scene: Scene) -> None:
    path = reverse("people_remove", args=[scene.organization.slug])
    chosen = {"person": f"{scene.person.pk}~{scene.person.role}"}
    assert signed_in(scene.admin.user).post(path, chosen).status_code == 302


def leaves(scene: Scene) -> None:
    assert scene.browser.post(reverse("leave", args=[scene.organization.slug])).status_code == 302


def by_program(scene: Scene) -> None:
    asked(scene, program_of(scene.admin, Permission.BILLING_MANAGERS_REMOVE))


def by_program_of_organization(scene: Scene) -> None:
    asked(scene, program_of_organization(scene.organization, Permission.BILLING_MANAGERS_REMOVE))


def asked(scene: Scene, program: Program) -> None:
    assert program.ask("DELETE", f"billing-managers/{scene.person.pk}").status_code == 204


def last_day_passes(scene: Scene) -> None:
    Membership.objects.filter(pk=scene.person.pk).update(last_day="2026-01-31")
    end_past_last_days()


def with_the_edition(scene: Scene) -> None:
    with acting_as(Actor.person(scene.admin.user), scene.organization.pk) as act:
        remove_billing_managers(act.organization, [scene.person.pk], actor=act.actor)


ALL_ROLES = [by_page, with_others, leaves]
MANAGERS_ONLY = [by_program, by_program_of_organization, last_day_passes, with_the_edition]
# Every third of all: each way with each role, and each role with each turn, at least once.
ENDINGS = [
    (way, role, turn)
    for turn in range(4)
    for role in Role
    for way in (ALL_ROLES + MANAGERS_ONLY if role in MANAGERS else ALL_ROLES)
][::3]


def end(scene: Scene, way: Callable[[Scene], None], names: Iterable[str]) -> None:
    """And let time pass, with an invoice to come."""
    for name in names:
        UNDER_WAY[name].begin(scene)
    way(scene)
    for _again in range(3):
        sweep_everything()
    sync_invoice(scene.account, scene.stripe.invoice(scene.account).id)
    OutgoingEmail.objects.exclude(to__in=scene.addresses).update(state="dropped", leased_until=None)
    deliver_due()


def nothing_reaches(scene: Scene) -> None:
    assert_no_mail_reaches(scene)
    assert_stripe_writes_and_shows_nothing(scene)
    assert_nothing_opens(scene)
    assert_each_act_is_recorded()


def assert_no_mail_reaches(scene: Scene) -> None:
    inside = OutgoingEmail.objects.filter(organization_id=scene.organization.pk)
    inside = inside.exclude(kind__in=kinds_to_outsiders()).exclude(state="dropped")
    reaching = [mail.kind for mail in inside if mail.to.lower() in scene.addresses]
    assert not reaching


def assert_stripe_writes_and_shows_nothing(scene: Scene) -> None:
    customer = scene.stripe.api.customers.retrieve(scene.account.stripe_customer_id)
    scene.account.refresh_from_db()
    addresses = [customer.email or "", scene.account.email, *scene.account.copies_to]
    assert not {address.lower() for address in addresses} & scene.addresses
    assert {session.status for session in scene.stripe.sessions()} <= {"expired", "complete"}
    assert scene.stripe.default_card(scene.account) is None
    operations = StripeOperation.objects.for_org(scene.organization)
    assert not operations.filter(StripeOperation.unfinished).exists()
    subscriptions = scene.stripe.api.subscriptions.list({"status": "all", "limit": 100}).data
    assert {one.status for one in subscriptions} <= {"canceled", "incomplete_expired"}


def assert_nothing_opens(scene: Scene) -> None:
    slug = scene.organization.slug
    for headers in ({}, {"HX-Request": "true"}):
        for page in ("dashboard", "members", "billing", "organization_settings", "audit_log"):
            assert scene.browser.get(reverse(page, args=[slug]), headers=headers).status_code == 404
    for act in ("members_invite", "managers_link", "card", "methods", "leave", "people_remove", "card_link"):
        assert scene.browser.post(reverse(act, args=[slug])).status_code == 404
    for link in PaymentLink.objects.for_org(scene.organization):
        assert b"revoked" in Client().get(payment_url(link.pk), follow=True).content
    assert not Invitation.objects.for_org(scene.organization).pending().exists()
    assert not AccessRequest.objects.for_org(scene.organization).exists()
    assert not Connection.objects.filter(membership__organization=scene.organization).exists()
    assert not TeamMembership.objects.filter(team__organization=scene.organization).exists()
    assert (
        not AccessToken.objects.for_org(scene.organization)
        .exclude(membership=None)
        .filter(membership__user=scene.person.user)
        .exists()
    )
    if scene.secret:
        assert Program(slug, scene.secret).get("").status_code == 401
        assert AuditEvent.objects.filter(action="access_token.ended", organization_id=scene.organization.pk)


@pytest.mark.parametrize(("way", "role", "turn"), sampled(ENDINGS, every=len(ENDINGS)))
def test_nothing_reaches_them_whatever_was_under_way(
    way: Callable[[Scene], None], role: Role, turn: int, stripe: StripeWorld
) -> None:
    scene = Scene(stripe, role)
    end(scene, way, chosen_for(role, turn))
    nothing_reaches(scene)


@pytest.mark.slow
@pytest.mark.parametrize("name", UNDER_WAY)
def test_nor_when_it_is_alone(name: str, stripe: StripeWorld) -> None:
    needs = UNDER_WAY[name].needs
    role = next(role for role in reversed(Role) if needs is None or needs in GRANTS[role])
    scene = Scene(stripe, role)
    end(scene, leaves, [name])
    nothing_reaches(scene)


# What tells whose something is, and where it ends with them: a row above, or why it needs none.
OF_A_PERSON = {
    "billing.PaymentLink.maker_id": "card link, invoice link",
    "billing.StripeOperation.actor_id": "the pages at Stripe; what was asked for else is the organization's",
    "invitations.Invitation.accepted_by": "tells of the past",
    "invitations.Invitation.invited_by": "invitation, invite link",
    "orgs.AccessRequest.membership": "access request",
    "orgs.Membership.user": "ends itself",
    "programs.Connection.membership": "program",
    "teams.TeamMembership.membership": "team",
    "tokens.AccessToken.membership": "access token",
    "audit.AuditEvent.actor_id": "tells of the past",
    "support.StaffSession.user": "of support staff, not of a role in an organization",
}


def test_whatever_belongs_to_a_person_has_its_row() -> None:
    """A new model that points to people needs a row in UNDER_WAY, or a reason here."""
    found = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model.__module__.split(".")[0] not in {"accounts", "allauth", "django", "tests"}
        for field in model._meta.fields
        if (isinstance(field, ForeignKey) and field.related_model in {User, Membership})
        or field.name in {"actor_id", "maker_id", "user_id", "person_id"}
    }
    assert found == OF_A_PERSON.keys()


def test_an_access_token_of_somebody_else_stays(stripe: StripeWorld) -> None:
    scene = Scene(stripe, Role.MEMBER)
    colleague = AccessTokenFactory(organization=scene.organization, membership=scene.admin)
    by_page(scene)
    assert AccessToken.objects.filter(pk=colleague.pk).exists()
