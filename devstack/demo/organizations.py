"""The demo's organizations: founded, renamed, joined and invited into by the portal's own verbs."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from devstack.demo.cast import DemoOrganization, DemoTeam
from invitations.claims import claim_in
from invitations.models import Invitation
from invitations.services import accept, create_link, invite_by_mail
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.services import Change, change_settings, create_organization
from teams.models import Details
from teams.services import add_people, create_team

# How long an auditor stays.
AUDIT = timedelta(days=90)


def ensure_organization(cast: DemoOrganization, users: dict[str, User]) -> Organization:
    """Found the organization if it is missing, with all who belong to it."""
    organization = Organization.objects.filter(slug=cast.slug).first()
    return organization or _found(cast, users)


@transaction.atomic
def _found(cast: DemoOrganization, users: dict[str, User]) -> Organization:
    founder, *other_admins = (users[person.email] for person in cast.admins)
    organization = create_organization(
        user=founder, name=cast.founded_as, edition_code=cast.edition, seats=cast.seats
    )
    actor = Membership.objects.select_related("organization", "user").get(organization=organization)
    change_settings(actor=actor, changes={"name": Change(seen=cast.founded_as, wanted=cast.name)})
    joining = {
        Role.ADMIN: other_admins,
        Role.MEMBER: [users[person.email] for person in cast.members],
        Role.BILLING_MANAGER: [users[person.email] for person in cast.billing_managers],
    }
    for role, group in joining.items():
        for user in group:
            _join(actor, user, role)
    for person in cast.auditors:
        last_day = timezone.now().date() + AUDIT
        _join(actor, users[person.email], Role.BILLING_VIEWER, last_day=last_day)
    for team in cast.teams:
        _form(actor, team)
    for address in cast.invited:
        invite_by_mail(actor=actor, email=address, role=Role.MEMBER)
    organization.refresh_from_db()
    return organization


def _form(actor: Membership, cast: DemoTeam) -> None:
    team = create_team(actor=actor, details=Details(cast.name, cast.description))
    addresses = [person.email for person in cast.people]
    people = Membership.objects.for_org(actor.organization).filter(user__email__in=addresses)
    add_people(actor=actor, team_id=team.pk, membership_ids=[person.pk for person in people])


def _join(actor: Membership, user: User, role: Role, *, last_day: date | None = None) -> Invitation:
    token = create_link(actor=actor, role=role, last_day=last_day).rstrip("/").rpartition("/")[2]
    return accept(user=user, claim=claim_in(token))
