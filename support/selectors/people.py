"""An organization's people and invitations, as support staff see them."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import (
    Case,
    Exists,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils.translation import gettext as _

from invitations.models import MAIL_KEY, Invitation, State, oldest_live
from invitations.refusals import Reason
from orgs.capacity import limit_for
from orgs.compiled import compiled
from orgs.dates import day, day_here
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.rows import count_of
from outbox.models import OutgoingEmail
from outbox.models import State as MailState
from support.links import person_url
from support.selectors.work import in_one_line

PEOPLE_SHOWN = 8
INVITATIONS_SHOWN = 6
# Who runs it and who pays, in this order.
RUNNING = (Role.ADMIN, Role.BILLING_MANAGER, Role.BILLING_VIEWER)
ROLES_IN_ORDER = Case(
    *(When(role=role, then=place) for place, role in enumerate(RUNNING)),
    default=len(RUNNING),
    output_field=IntegerField(),
)


class Counts(NamedTuple):
    """``admins``: those who can sign in. ``members_invited``, ``managers_invited``: who hold a place."""

    people: int
    managers: int
    admins: int
    members_invited: int
    managers_invited: int
    invited_ever: int

    @property
    def members(self) -> int:
        return self.people - self.managers


@compiled(Counts)
def _counts(organization: uuid.UUID, oldest: datetime) -> QuerySet[Organization, Any]:
    memberships = Membership.objects.for_org(organization)
    live = Invitation.objects.for_org(organization).pending_since(oldest)
    return (
        Organization.objects.filter(pk=organization)
        .annotate(
            people=count_of(memberships),
            managers=count_of(memberships.billing_managers()),
            admins=count_of(memberships.admins()),
            members_invited=count_of(live.for_role(Role.MEMBER)),
            managers_invited=count_of(live.for_role(Role.BILLING_MANAGER)),
            invited_ever=count_of(Invitation.objects.for_org(organization)),
        )
        .values_list(*Counts._fields)
    )


class PersonRow(NamedTuple):
    """``user``: the person, ``id``: the membership. ``seen_at``: in a session that is still there."""

    id: uuid.UUID
    user: uuid.UUID
    name: str
    email: str
    role: str
    last_day: date | None
    is_active: bool
    two_steps: bool
    seen_at: datetime | None


class Person(NamedTuple):
    """The same in words, for ``{% rows %}``; ``last_day``, ``seen``: "" for none."""

    id: str
    url: str
    name: str
    initial: str
    email: str
    role: str
    last_day: str
    is_active: bool
    two_steps: bool
    seen: str


def _person(row: PersonRow) -> Person:
    name = row.name or row.email
    return Person(
        id=str(row.id),
        url=person_url(row.user),
        name=name,
        initial=name[:1],
        email=row.email,
        role=str(Role(row.role).label),
        last_day=day(row.last_day),
        is_active=row.is_active,
        two_steps=row.two_steps,
        seen=day_here(row.seen_at) if row.seen_at else "",
    )


@compiled(PersonRow)
def _people(organization: uuid.UUID) -> QuerySet[Membership, Any]:
    """Who runs it and who pays first, then who joined last. Of thousands, each part is found by its index."""
    people = Membership.objects.for_org(organization)
    in_order = (ROLES_IN_ORDER, "-joined_at", "-id")
    running = people.filter(role__in=RUNNING).order_by(*in_order).values("pk")[:PEOPLE_SHOWN]
    newest = people.order_by("-joined_at", "-id").values("pk")[:PEOPLE_SHOWN]
    sessions = UserSession.objects.filter(user=OuterRef("user")).order_by().values("user")
    return (
        people.filter(pk__in=running.union(newest))
        .annotate(
            two_steps=Exists(Authenticator.objects.filter(user=OuterRef("user"))),
            seen_at=Subquery(sessions.annotate(last=Max("last_seen_at")).values("last")),
        )
        .order_by(*in_order)
        .values_list(
            "id",
            "user",
            "user__name",
            "user__email",
            "role",
            "last_day",
            "user__is_active",
            "two_steps",
            "seen_at",
        )[:PEOPLE_SHOWN]
    )


class InvitationRow(NamedTuple):
    """``mail_state``, ``mail_error``: of the mail with its present link."""

    id: uuid.UUID
    email: str
    role: str
    state: str
    invited_by_name: str
    sent_at: datetime
    ended_because: str
    last_error: str
    last_error_by: str
    asked_for: str
    mail_state: str | None
    mail_error: str | None


class ShownInvitation(NamedTuple):
    """The same in words, for ``{% rows %}``. ``delivery``: what became of the mail, or why it went nowhere.

    ``error``, ``error_by``: why it ended, or why somebody could not accept it. ``can_be_done``: it waits, or
    somebody asks for a new one.
    """

    id: str
    addressee: str
    role: str
    inviter: str
    sent: str
    tone: str
    state: str
    delivery: str
    error: str
    error_by: str
    asked_for: str
    can_be_done: bool


def shown_invitation(row: InvitationRow) -> ShownInvitation:
    pending = row.state == State.PENDING
    bounced = pending and row.mail_state == MailState.FAILED
    reason = row.ended_because or (row.last_error if pending else "")
    tone = "warn" if pending and row.last_error else ""
    return ShownInvitation(
        id=str(row.id),
        addressee=row.email or _("Invite link"),
        role=str(Role(row.role).label),
        inviter=row.invited_by_name,
        sent=day_here(row.sent_at),
        tone="bad" if bounced else tone,
        state=_("Not delivered") if bounced else str(State(row.state).label),
        delivery=_delivery(row, bounced=bounced),
        error=str(Reason(reason).label) if reason else "",
        error_by=row.last_error_by if pending else "",
        asked_for=row.asked_for,
        can_be_done=pending or bool(row.asked_for),
    )


def _delivery(row: InvitationRow, *, bounced: bool) -> str:
    if bounced:
        return in_one_line(row.mail_error or "")
    if row.mail_state is None:
        return ""
    if row.mail_state == MailState.SENT:
        return _("Mail delivered")
    return _("Mail: %(state)s") % {"state": MailState(row.mail_state).label}


def with_mail(invitations: QuerySet[Invitation]) -> QuerySet[Invitation, Any]:
    """What an ``InvitationRow`` is made of."""
    key = Func(Value(MAIL_KEY), OuterRef("id"), OuterRef("generation"), function="format")
    mails = OutgoingEmail.objects.filter(dedupe_key=key)
    annotated = invitations.annotate(
        mail_state=Subquery(mails.values("state")), mail_error=Subquery(mails.values("error"))
    )
    return annotated.values_list(*InvitationRow._fields)


@compiled(InvitationRow)
def _invitations(organization: uuid.UUID, invitation: uuid.UUID) -> QuerySet[Invitation, Any]:
    """The one that is asked for, then those in trouble, then the newest."""
    key = Func(Value(MAIL_KEY), OuterRef("id"), OuterRef("generation"), function="format")
    bounced = OutgoingEmail.objects.filter(dedupe_key=key, state=MailState.FAILED)
    in_trouble = Q(state=State.PENDING) & (~Q(last_error="") | ~Q(asked_for="") | Exists(bounced))
    order = Case(When(pk=invitation, then=0), When(in_trouble, then=1), default=2)
    found = Invitation.objects.for_org(organization).order_by(order, F("sent_at").desc(), "-id")
    return with_mail(found)[:INVITATIONS_SHOWN]


@dataclass(frozen=True)
class People:
    """``seats``: how many members the edition allows, ``places``: how many billing managers; None: any."""

    rows: list[Person]
    counts: Counts
    seats: int | None
    places: int | None
    invitations: list[ShownInvitation]

    @property
    def members(self) -> str:
        """How many there are, in words; of how many seats, where seats are sold."""
        members = f"{self.counts.members:,}"
        if self.seats is None:
            return members
        return _("%(taken)s of %(seats)s taken") % {"taken": members, "seats": f"{self.seats:,}"}

    @property
    def members_invited(self) -> str:
        return _("%(invited)s more invited") % {"invited": f"{self.counts.members_invited:,}"}

    @property
    def managers(self) -> str:
        """Of billing managers, the same in one sentence."""
        words = {"managers": f"{self.counts.managers:,}", "invited": f"{self.counts.managers_invited:,}"}
        if self.places is None:
            return _("billing managers: %(managers)s, %(invited)s more invited") % words
        return _("billing managers: %(managers)s of %(places)s, %(invited)s more invited") % {
            **words,
            "places": f"{self.places:,}",
        }


def people_of(organization: Organization, *, invitation: uuid.UUID | None) -> People:
    """In three statements. ``invitation``: one that is shown first."""
    found = _invitations(organization.pk, invitation or uuid.UUID(int=0))
    (counts,) = _counts(organization.pk, oldest_live(organization))
    return People(
        rows=[_person(row) for row in _people(organization.pk)],
        counts=counts,
        seats=limit_for(organization, Role.MEMBER),
        places=limit_for(organization, Role.BILLING_MANAGER),
        invitations=[shown_invitation(row) for row in found],
    )
