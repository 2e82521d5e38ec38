"""What an access token can be allowed to do: permissions that the API asks for, of those its maker holds."""

from orgs.models import Membership
from orgs.policy import FOR_ORGANIZATIONS_ONLY, Permission, may

SCOPES = (
    Permission.ORGANIZATION_VIEW,
    Permission.MEMBERS_API_LIST,
    Permission.MEMBERS_LIST,
    Permission.MEMBERS_INVITE,
    Permission.TEAMS_API_LIST,
    Permission.TEAMS_LIST,
    Permission.TEAMS_MANAGE,
    Permission.RUM_PER_STACK,
    Permission.STACKS_LABEL,
    Permission.RUM_SUMMARY,
    Permission.BILLING_VIEW,
    Permission.BILLING_MANAGERS_LIST_NAMES,
    Permission.BILLING_MANAGERS_LIST_MAILS,
    Permission.BILLING_MANAGERS_INVITE,
    Permission.BILLING_MANAGERS_REMOVE,
    Permission.AUDIT_READ,
    Permission.USAGE_RECORD,
)
# A scope to see more of a list opens the list as well.
INCLUDED = {
    Permission.MEMBERS_LIST: Permission.MEMBERS_API_LIST,
    Permission.TEAMS_LIST: Permission.TEAMS_API_LIST,
    Permission.BILLING_MANAGERS_LIST_MAILS: Permission.BILLING_MANAGERS_LIST_NAMES,
}
# An invitation stands on the right of the person who sent it, and ends with that.
FOR_PEOPLE_ONLY = frozenset({Permission.MEMBERS_INVITE, Permission.BILLING_MANAGERS_INVITE})


def scopes_for(maker: Membership, *, of_organization: bool) -> list[Permission]:
    """The scopes that somebody can give to a token of theirs, or of the organization."""
    if not of_organization:
        return [scope for scope in SCOPES if may(maker, scope)]
    # Only admins make those.
    grants = maker.permissions | FOR_ORGANIZATIONS_ONLY
    return [scope for scope in SCOPES if scope in grants and scope not in FOR_PEOPLE_ONLY]
