"""What a person reads before they give a role: what it opens and what it closes, from the policy's table."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orgs.policy import INVITE_PERMISSIONS, PARTS, Permission, Role, permissions_of

QUESTIONS: dict[Role, Promise] = {
    Role.ADMIN: _("Make %(name)s an admin?"),
    Role.MEMBER: _("Make %(name)s a member?"),
    Role.BILLING_MANAGER: _("Make %(name)s a billing manager?"),
    Role.BILLING_VIEWER: _("Make %(name)s a billing manager who only views?"),
}

# Only admins change roles, so a person who changes their own gives that one up.
OWN_QUESTIONS: dict[Role, Promise] = {
    Role.ADMIN: _("Stay an admin?"),
    Role.MEMBER: _("Stop being an admin and become a member?"),
    Role.BILLING_MANAGER: _("Stop being an admin and become a billing manager?"),
    Role.BILLING_VIEWER: _("Stop being an admin and become a billing manager who only views?"),
}

# Of each part of the table that people read, the acts.
ByPart = list[tuple[Promise, Sequence[Promise]]]


@dataclass(frozen=True)
class RoleQuestion:
    """``gained``, ``lost``: what the person can do afterwards, and no longer.

    ``ends_invitations``: they may no longer invite to each role that they may invite to today.
    ``ends_teams``: they become a billing manager, who is in no team.
    """

    sentence: str
    gained: ByPart
    lost: ByPart
    ends_invitations: bool
    ends_teams: bool


def role_question(*, name: str, today: Role, role: Role, own: bool, delegated: bool) -> RoleQuestion:
    """``delegated``: the organization lets billing managers manage others."""
    before, after = (permissions_of(one, delegated=delegated) for one in (today, role))
    sentences = OWN_QUESTIONS if own else QUESTIONS
    return RoleQuestion(
        sentence=str(sentences[role]) % {"name": name},
        gained=_by_part(after - before),
        lost=_by_part(before - after),
        ends_invitations=not (before - after).isdisjoint(INVITE_PERMISSIONS.values()),
        ends_teams=role.is_billing_manager and not today.is_billing_manager,
    )


def _by_part(permissions: Collection[Permission]) -> ByPart:
    shown = [one for one in Permission if one in permissions]
    by_part = [(part, [one.label for one in shown if one.resource in of]) for part, of in PARTS]
    return [(part, labels) for part, labels in by_part if labels]
