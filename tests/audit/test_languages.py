"""The audit log stores codes: in what language an act was done can't be told from it, and anybody reads it
in their own."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import override

from audit.models import AuditEvent
from audit.registry import Action, all_actions
from audit.services import Actor
from billing.closings import closing_version
from billing.findings import note_drift
from billing.operations.closing import close_due, close_organization, undo_closing
from billing.operations.limits import change_limits, check_limits
from credits.services.periods import follow_terms
from credits.services.settling import settle
from hooks import services as hooks
from hooks.failing import switch_off
from hooks.models import Endpoint, OffBecause
from invitations import services as invitations
from invitations.models import Invitation, Kind
from invitations.refusals import AcceptRefused, Reason
from orgs import services as orgs
from orgs.access_requests import refuse_access, request_access
from orgs.account_deletion import delete_account
from orgs.actions import edition_name
from orgs.audit_export import export_audit_log
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role, StaffRole
from orgs.services import Change
from orgs.terms import follow_subscription
from orgs.usage_limits import Limit
from outbox.models import OutgoingEmail
from programs.models import Connection
from programs.models import Ending as ProgramEnding
from programs.services import allow, disconnect
from support.actions import SOURCE_WORDS
from support.admin_requests import ask_for_admin, grant_admin, refuse_admin
from support.models import AdminRequest, Proof, StaffSession
from support.principals import StaffInOrganization, staff_in
from support.queues import queue_page
from support.queues.settling import settle_row
from support.sending_again import send_again, send_to_another
from support.services import end_sessions, open_organization, open_session, set_staff_roles
from support.viewing import note_viewing
from teams import services as teams
from teams.models import Details, Team
from tests.credits.months import count, terms
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.hooks.factories import DeliveryFactory, EndpointFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.languages import use_catalogue
from tests.programs.factories import ProgramFactory
from tests.support.factories import staff_member
from tokens.actions import expiry
from tokens.models import AccessToken, Ending, ServiceToken, TokenKind
from tokens.service_tokens import make_service_token, revoke_service_token
from tokens.services import make_token, revoke_token
from usage.labels import label_stacks
from usage.models import Stack

OPENED, CLOSED = "‹", "›"
# Of the teams, and of what was looked into, in the two scenes.
IDS = {"team_id", "row"}
# Names that are the same in every language.
NAMES = {str, edition_name, expiry}


class Scene:
    """An organization with an admin, Ada, and a member, Mira."""

    def __init__(self) -> None:
        self.organization = OrganizationFactory(name="Acme", edition_code="enterprise", seats=9)
        self.ada = self._join("Ada", Role.ADMIN)
        self.mira = self._join("Mira", Role.MEMBER)

    def _join(self, name: str, role: Role) -> Membership:
        user = UserFactory(name=name)
        return MembershipFactory(organization=self.organization, user=user, role=role)

    def refuse_access(self) -> None:
        request_access(actor=self.mira, permission=Permission.AUDIT_READ)
        refuse_access(actor=self.ada, membership_id=self.mira.pk, permission=Permission.AUDIT_READ)

    def change_last_day(self) -> None:
        manager = self._join("Lee", Role.BILLING_MANAGER)
        orgs.change_last_day(actor=self.ada, membership_id=manager.pk, last_day=date(2999, 3, 31), shown=None)

    def let_last_day_pass(self) -> None:
        manager = self._join("Lee", Role.BILLING_MANAGER)
        Membership.objects.filter(pk=manager.pk).update(last_day=date(2026, 1, 31))
        orgs.end_past_last_days()

    def setting(self, name: str, seen: object, wanted: object) -> None:
        orgs.change_settings(actor=self.ada, changes={name: Change(seen, wanted)})

    def undo_closing(self) -> None:
        close_organization(actor=self.ada, shown=closing_version(self.organization))
        self.organization.refresh_from_db()
        undo_closing(actor=self.ada, shown=str(self.organization.closes_after))

    def close(self) -> None:
        self.organization.closes_after = date(2026, 1, 31)
        self.organization.save()
        close_due()

    @transaction.atomic
    def follow(self, edition_code: str, seats: int | None) -> None:
        follow_subscription(self.organization, edition_code=edition_code, seats=seats)

    def invitation(self, kind: Kind = Kind.LINK, *, days_old: int = 1) -> Invitation:
        return InvitationFactory(
            organization=self.organization,
            inviter=self.ada,
            kind=kind,
            email="lee@example.test" if kind is Kind.MAIL else "",
            sent_at=timezone.now() - timedelta(days=days_old),
        )

    def endpoint(self, *, off_because: str = "") -> Endpoint:
        return EndpointFactory(organization=self.organization, off_because=off_because)

    def invite(self) -> None:
        invitations.invite_by_mail(actor=self.ada, email="lee@example.test", role=Role.MEMBER)

    def move_to_an_edition_without_place(self) -> None:
        self.invitation()
        self.invitation()
        self.follow("team-growth", None)

    def invite_again_after_expiry(self) -> None:
        self.setting("invitation_max_age_days", None, 1)
        self.invitation(Kind.MAIL, days_old=2)
        self.invite()

    def make_token(self) -> AccessToken:
        token, _secret = make_token(
            actor=self.mira,
            key=uuid4(),
            name="CI",
            scopes=[Permission.MEMBERS_LIST],
            expires_at=timezone.now() + timedelta(days=30),
            of_organization=False,
        )
        return token

    def revoke_token(self) -> None:
        revoke_token(actor=self.ada, token_id=self.make_token().pk)

    def make_service_token(self) -> None:
        # One of this name at a time.
        ServiceToken.objects.all().delete()
        make_service_token(name="Sign-up", scopes=[Permission.ORGANIZATIONS_LIST], life=timedelta(days=30))

    def revoke_service_token(self) -> None:
        self.make_service_token()
        revoke_service_token(name="Sign-up")

    def open_staff_session(self) -> StaffSession:
        user = staff_member(StaffRole.SUPPORT)
        return open_session(user=user, ticket="48213", reason="The card is lost")

    def settle_row_as_staff(self) -> None:
        note_drift(self.organization, customers=1, subscriptions=0, invoices=0, on_demand=0)
        (row,) = queue_page(queue="drift").rows
        staff = staff_in(self.open_staff_session().pk)
        settle_row(staff=staff, row=row, ticket="48213", reason="Looked at it")

    def look_as_staff(self) -> None:
        open_organization(staff_in(self.open_staff_session().pk), self.organization.pk)

    def staff(self) -> StaffInOrganization:
        """Another of support staff each time."""
        staff = staff_in(self.open_staff_session().pk)
        return staff.within(self.organization, ticket="48213", reason="The admin has left")

    def ask_for_admin(self) -> AdminRequest:
        return ask_for_admin(
            actor=self.staff(), email="lee@example.test", proof=Proof.REGISTER, reference="HRB 1"
        )

    def failed_mail(self, kind: str) -> OutgoingEmail:
        orgs.change_role(actor=self.ada, membership_id=self.mira.pk, role=Role.ADMIN)
        OutgoingEmail.objects.update(kind=kind, to="lee@example.test", state="failed")
        return OutgoingEmail.objects.latest("created_at")

    def view_as_somebody(self) -> None:
        staff = staff_in(self.open_staff_session().pk)
        principal = staff.within(self.organization, ticket="48213", reason="The card is lost")
        note_viewing(principal, self.ada, shown_person=str(self.ada.user_id))

    def link(self) -> None:
        self.make_service_token()
        ServiceToken.objects.update(scopes=[Permission.ORGANIZATIONS_LINK])
        product = ServiceToken.objects.get().within(self.ada.organization)
        # Of the organization of the other language.
        Organization.objects.filter(external_id="cus-42").update(external_id=None)
        orgs.link_organization(actor=product, external_id="cus-42")

    def demote_a_holder_of_a_token(self) -> None:
        self.make_token()
        orgs.change_role(actor=self.ada, membership_id=self.mira.pk, role=Role.BILLING_MANAGER)

    def team(self) -> Team:
        return teams.create_team(actor=self.ada, details=Details("Platform", ""))

    def team_with_mira(self) -> Team:
        team = self.team()
        teams.add_people(actor=self.ada, team_id=team.pk, membership_ids=[self.mira.pk])
        return team

    def allow_program(self) -> Connection:
        return allow(actor=self.ada, client=ProgramFactory())

    def disconnect_program(self) -> None:
        disconnect(actor=self.ada, connection_id=self.allow_program().pk)

    def demote_a_person_with_a_program(self) -> None:
        manager = self._join("Lee", Role.BILLING_MANAGER)
        allow(actor=manager, client=ProgramFactory())
        orgs.change_role(actor=self.ada, membership_id=manager.pk, role=Role.MEMBER)

    def accept(self) -> None:
        invitations.accept(user=UserFactory(name="Lee"), claim=by_link(self.invitation()))

    def ask_in_place_of_a_dead_one(self) -> None:
        dead = invitations.revoke(actor=self.ada, invitation_id=self.invitation(Kind.MAIL).pk)
        invitations.ask_for_new(claim=by_mail(dead))

    def accept_with_another_address(self) -> None:
        with suppress(AcceptRefused):
            invitations.accept(user=UserFactory(name="Lee"), claim=by_mail(self.invitation(Kind.MAIL)))

    def label_a_stack(self) -> None:
        Stack.objects.create(organization=self.organization, name="web")
        label_stacks(actor=self.ada, names=["web"], label="Ops")
        label_stacks(actor=self.ada, names=["web"], label="")

    def limit(self, **changes: Change) -> None:
        change_limits(actor=self.ada, changes=changes)

    def use_all_credits(self, *, stops: bool = False) -> None:
        """Of a period that began with the year."""
        organization = self.organization
        if stops:
            self.limit(usage_stops=Change(False, True))
        since = datetime(2026, 1, 1, tzinfo=UTC)
        follow_terms(
            organization_id=organization.pk, terms=terms(since, since + timedelta(days=9000), credits=10)
        )
        count(
            organization, {timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2): 10}
        )
        settle(organization_id=organization.pk, until=timezone.now())
        with transaction.atomic():
            check_limits(Organization.objects.locked(organization.pk))

    def go_on_with_use(self) -> None:
        self.use_all_credits(stops=True)
        self.limit(usage_stops=Change(True, False))


ACTS: dict[str, Callable[[Scene], object]] = {
    "account.deleted": lambda scene: delete_account(user=scene.mira.user, shown=[str(scene.organization.pk)]),
    "access_token.ended": Scene.demote_a_holder_of_a_token,
    "access_token.made": Scene.make_token,
    "access_token.revoked": Scene.revoke_token,
    "access.refused": Scene.refuse_access,
    "access.requested": lambda scene: request_access(actor=scene.mira, permission=Permission.AUDIT_READ),
    "audit.exported": lambda scene: export_audit_log(actor=scene.ada, action="membership.left"),
    "invitation.accepted": Scene.accept,
    "program.allowed": Scene.allow_program,
    "program.ended": Scene.demote_a_person_with_a_program,
    "program.revoked": Scene.disconnect_program,
    "invitation.asked": Scene.ask_in_place_of_a_dead_one,
    "invitation.declined": lambda scene: invitations.decline(claim=by_link(scene.invitation())),
    "invitation.ended": Scene.move_to_an_edition_without_place,
    "invitation.expired": Scene.invite_again_after_expiry,
    "invitation.link_copied": lambda scene: invitations.copy_link(
        actor=scene.ada, invitation_id=scene.invitation().pk
    ),
    "invitation.link_created": lambda scene: invitations.create_link(actor=scene.ada, role=Role.MEMBER),
    "invitation.refused": Scene.accept_with_another_address,
    "invitation.resent": lambda scene: invitations.resend(
        actor=scene.ada, invitation_id=scene.invitation(Kind.MAIL).pk
    ),
    "invitation.revoked": lambda scene: invitations.revoke(
        actor=scene.ada, invitation_id=scene.invitation().pk
    ),
    "invitation.sent": Scene.invite,
    "membership.last_day_changed": Scene.change_last_day,
    "membership.last_day_passed": Scene.let_last_day_pass,
    "membership.left": lambda scene: orgs.leave(membership=scene.mira),
    "membership.removed": lambda scene: orgs.remove_member(actor=scene.ada, membership_id=scene.mira.pk),
    "membership.role_changed": lambda scene: orgs.change_role(
        actor=scene.ada, membership_id=scene.mira.pk, role=Role.ADMIN
    ),
    "organization.edition_changed": lambda scene: scene.follow("team-growth", None),
    "organization.seats_changed": lambda scene: scene.follow("enterprise", None),
    "organization.created": lambda scene: orgs.create_organization(user=scene.mira.user, name="Globex"),
    "organization.invitation_age_changed": lambda scene: scene.setting("invitation_max_age_days", None, 7),
    "organization.managers_setting_changed": lambda scene: scene.setting(
        "managers_manage_managers", False, True
    ),
    "team.created": Scene.team,
    "team.renamed": lambda scene: teams.change_team(actor=scene.ada, team_id=scene.team().pk, name="Core"),
    "team.described": lambda scene: teams.change_team(
        actor=scene.ada, team_id=scene.team().pk, description="Runs the clusters"
    ),
    "team.deleted": lambda scene: teams.delete_team(actor=scene.ada, team_id=scene.team().pk),
    "team.person_added": Scene.team_with_mira,
    "team.person_removed": lambda scene: teams.remove_person(
        actor=scene.ada, team_id=scene.team_with_mira().pk, membership_id=scene.mira.pk
    ),
    "webhook.made": lambda scene: hooks.make_endpoint(
        actor=scene.ada, key=uuid.uuid4(), url="https://hooks.ledger.test/", events=["invoice.paid"]
    ),
    "webhook.changed": lambda scene: hooks.change_endpoint(
        actor=scene.ada,
        endpoint_id=scene.endpoint().pk,
        shown_version=1,
        url="https://hooks.ledger.test/other",
        events=["invoice.paid"],
    ),
    "webhook.secret_rolled": lambda scene: hooks.roll_secret(
        actor=scene.ada, endpoint_id=scene.endpoint().pk, shown_version=1
    ),
    "webhook.switched_on": lambda scene: hooks.switch_endpoint(
        actor=scene.ada, endpoint_id=scene.endpoint(off_because="person").pk, on=True
    ),
    "webhook.switched_off": lambda scene: hooks.switch_endpoint(
        actor=scene.ada, endpoint_id=scene.endpoint().pk, on=False
    ),
    "webhook.given_up": lambda scene: switch_off(scene.endpoint(), OffBecause.GONE),
    "webhook.tested": lambda scene: hooks.send_test(actor=scene.ada, endpoint_id=scene.endpoint().pk),
    "webhook.replayed": lambda scene: hooks.replay(
        actor=scene.ada, delivery_id=DeliveryFactory(endpoint=scene.endpoint(), state="failed").pk
    ),
    "webhook.removed": lambda scene: hooks.remove_endpoint(actor=scene.ada, endpoint_id=scene.endpoint().pk),
    "organization.closing_begun": lambda scene: close_organization(
        actor=scene.ada, shown=closing_version(scene.organization)
    ),
    "organization.closing_undone": Scene.undo_closing,
    "organization.closed": Scene.close,
    "organization.renamed": lambda scene: scene.setting("name", "Acme", "Globex"),
    "organization.linked": Scene.link,
    "stack.labeled": Scene.label_a_stack,
    "usage.budget_changed": lambda scene: scene.limit(usage_budget=Change(None, 2500)),
    "usage.stop_changed": lambda scene: scene.limit(usage_stops=Change(False, True)),
    "usage.threshold_reached": Scene.use_all_credits,
    "usage.stopped": lambda scene: scene.use_all_credits(stops=True),
    "usage.resumed": Scene.go_on_with_use,
    "service_token.made": Scene.make_service_token,
    "service_token.revoked": Scene.revoke_service_token,
    "staff_session.opened": Scene.open_staff_session,
    "queue_row.settled": Scene.settle_row_as_staff,
    "staff_session.ended": lambda scene: end_sessions(user=scene.open_staff_session().user),
    "staff_roles.changed": lambda scene: set_staff_roles(
        user_id=scene.ada.user_id, roles=[StaffRole.SUPPORT], actor=Actor.system()
    ),
    "organization.opened_by_staff": Scene.look_as_staff,
    "sessions.ended": lambda scene: orgs.sign_out(actor=scene.staff(), membership_id=scene.mira.pk),
    "admin.asked": Scene.ask_for_admin,
    "admin.granted": lambda scene: grant_admin(actor=scene.staff(), request_id=scene.ask_for_admin().pk),
    "admin.refused": lambda scene: refuse_admin(actor=scene.staff(), request_id=scene.ask_for_admin().pk),
    "mail.sent_again": lambda scene: send_again(
        actor=scene.staff(), mail_id=scene.failed_mail("membership_removed").pk
    ),
    "mail.readdressed": lambda scene: send_to_another(
        actor=scene.staff(), mail_id=scene.failed_mail("closing_undone").pk, membership_id=scene.ada.pk
    ),
    "portal.seen_by_staff": Scene.view_as_somebody,
}
# Told in tests/billing: test_mirror.py, of what Stripe says, test_on_demand.py and test_payment_links.py.
BILLING = {"billing", "card", "credits", "details", "invoice", "payment_link", "subscription"}


def translations() -> dict[str | tuple[str, str], str | tuple[str, str]]:
    """A language in which every text of the log is the English one in brackets."""
    texts: list[str | Promise] = [
        "yes",
        "no",
        "none",
        "forever",
        "everybody",
        "anyone with the link",
        "a person with the link",
        "a person",
        "%(day)s (UTC)",
        "a mail",
        "a mail and a stop",
    ]
    texts += [
        choice.label
        for choices in (
            Role,
            Permission,
            Reason,
            TokenKind,
            Ending,
            ProgramEnding,
            OffBecause,
            Limit,
            StaffRole,
            Proof,
        )
        for choice in choices
    ]
    texts += SOURCE_WORDS.values()
    texts += [text for action in all_actions() for text in (action.label, action.sentence)]
    days = ("%(days)s day", "%(days)s days")
    return {**{str(text): _marked(str(text)) for text in texts}, days: (_marked(days[0]), _marked(days[1]))}


def _marked(text: str) -> str:
    return f"{OPENED}{text}{CLOSED}"


def test_every_action_has_its_act() -> None:
    assert set(ACTS) == {
        action.code for action in all_actions() if action.code.partition(".")[0] not in BILLING
    }


@pytest.mark.django_db
@pytest.mark.parametrize("action", [action for action in all_actions() if action.code in ACTS], ids=repr)
def test_an_act_done_in_one_language_is_read_in_another(action: Action) -> None:
    with use_catalogue(translations()):
        events = [_done(action, language) for language in ("en", "de")]
        facts = [
            (event.actor_name, event.target_name, {**event.data, **dict.fromkeys(IDS, "")})
            for event in events
        ]
        assert facts[0] == facts[1]
        for event in events:
            english, german = _words(event, "en"), _words(event, "de")
            assert not any(OPENED in text for text in english)
            assert german[0].startswith(OPENED)
            for in_english, in_german in zip(english[1:], german[1:], strict=True):
                assert in_english != in_german


def _done(action: Action, language: str) -> AuditEvent:
    scene = Scene()
    with override(language):
        ACTS[action.code](scene)
    return AuditEvent.objects.filter(action=action.code).latest("id")


def _words(event: AuditEvent, language: str) -> list[str]:
    """The sentence in a language, then whatever in it, and before it, is no name and no figure."""
    with override(language):
        action = next(action for action in all_actions() if action.code == event.action)
        labels = [wording(event.data[name]) for name, wording in action.data.items() if wording not in NAMES]
        labels += [event.actor] if not event.actor_name else []
        labels += [event.target] if event.target_id and not event.target_name else []
        return [event.sentence, *(label for label in labels if not label.isdecimal())]
