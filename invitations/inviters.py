"""Who may send a new invitation in place of a dead one, and so is asked for it."""

from django.db.models import Q

from invitations.models import Invitation
from orgs.models import Membership
from orgs.policy import Role, may_invite


def inviters_of(invitation: Invitation) -> list[Membership]:
    """The person who invited, while they still may; else the admins.

    Nobody, where the organization closes, or waits for its first admin.
    """
    people = Membership.objects.for_org(invitation.organization).select_related("user")
    concerned = people.filter(Q(user=invitation.invited_by_id) | Q(role=Role.ADMIN), user__is_active=True)
    able = []
    for membership in concerned.order_by("joined_at", "id"):
        membership.organization = invitation.organization
        if may_invite(membership, Role(invitation.role)):
            able.append(membership)
    own = [membership for membership in able if membership.user_id == invitation.invited_by_id]
    return own or able
