"""Who may do what: every permission decision of the house.

The gate, the verbs, the Roles page, the table in the docs and the tests all read it here.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    ADMIN = "admin", _("Admin")
    MEMBER = "member", _("Member")
    BILLING_MANAGER = "billing_manager", _("Billing manager")
    BILLING_VIEWER = "billing_viewer", _("Billing manager, view only")

    @property
    def is_billing_manager(self) -> bool:
        """Whether it makes a person a billing manager, who takes no seat; one who only views is one too."""
        return self in BILLING_MANAGERS

    @property
    def in_sentence(self) -> Promise:
        """Its name inside a sentence, as in "You joined Acme as billing manager"."""
        return IN_SENTENCE[self]


IN_SENTENCE: dict[Role, Promise] = {
    Role.ADMIN: _("admin"),
    Role.MEMBER: _("member"),
    Role.BILLING_MANAGER: _("billing manager"),
    Role.BILLING_VIEWER: _("view-only billing manager"),
}
SOMEBODY: dict[str, Promise] = {
    Role.ADMIN: _("An admin"),
    Role.MEMBER: _("A member"),
    Role.BILLING_MANAGER: _("A billing manager"),
    Role.BILLING_VIEWER: _("A billing manager"),
}


class StaffRole(TextChoices):
    """What a person of support staff may do for customers. Each is a Django group of this name."""

    SUPPORT = "support", _("Support")
    BILLING_SUPPORT = "billing_support", _("Billing support")


# An edition's limit counts both.
BILLING_MANAGERS = frozenset({Role.BILLING_MANAGER, Role.BILLING_VIEWER})


def somebody_of(role: str | None) -> str:
    """A person whose name stays hidden, as a sentence begins; without a role they have left."""
    return str(SOMEBODY[role] if role else _("Somebody who has left"))


class Permission(TextChoices):
    """One act on one resource, named ``resource.action``."""

    ORGANIZATION_VIEW = "organization.view", _("see the organization's dashboard")
    ORGANIZATION_CONFIGURE = "organization.configure", _("change the organization's settings")
    ORGANIZATION_CLOSE = "organization.close", _("close the organization")
    ORGANIZATION_LEAVE = "organization.leave", _("leave the organization")
    ACCESS_REQUEST = "access.request", _("ask for access")
    WEBHOOKS_MANAGE = "webhooks.manage", _("manage webhooks")
    ROLES_VIEW = "roles.view", _("see what each role may do")
    MEMBERS_COUNT = "members.count", _("see how many members there are")
    MEMBERS_LIST = "members.list", _("see the members")
    MEMBERS_API_LIST = "members.api_list", _("list members in the API, without names")
    MEMBERS_INVITE = "members.invite", _("invite members")
    MEMBERS_CHANGE_ROLE = "members.change_role", _("change a person's role")
    MEMBERS_REMOVE = "members.remove", _("remove members")
    TEAMS_LIST = "teams.list", _("see the teams")
    TEAMS_API_LIST = "teams.api_list", _("list teams in the API, without names")
    TEAMS_MANAGE = "teams.manage", _("manage the teams")
    ACCESS_TOKENS_OWN = "access_tokens.own", _("use access tokens of one's own")
    ACCESS_TOKENS_MANAGE = "access_tokens.manage", _("manage everyone's access tokens")
    POLICY_GROUPS_READ = "policy_groups.read", _("read policy groups")
    POLICY_GROUPS_MANAGE = "policy_groups.manage", _("manage policy groups")
    POLICY_PACKS_READ = "policy_packs.read", _("read policy packs")
    POLICY_PACKS_MANAGE = "policy_packs.manage", _("manage policy packs")
    STACKS_READ = "stacks.read", _("read stacks")
    STACKS_MANAGE = "stacks.manage", _("manage stacks")
    STACKS_LABEL = "stacks.label", _("label stacks for the cost by label")
    AUDIT_READ = "audit.read", _("read the audit log")
    AUDIT_EXPORT = "audit.export", _("export the audit log")
    BILLING_VIEW = "billing.view", _("see billing, payments and invoices")
    BILLING_CARD_UPDATE = "billing.card_update", _("add or update the card")
    BILLING_SUBSCRIPTION_UPDATE = "billing.subscription_update", _("change the subscription")
    BILLING_DETAILS_UPDATE = "billing.details_update", _("change the billing details")
    BILLING_INVOICES_PAY = "billing.invoices_pay", _("pay invoices")
    BILLING_MANAGERS_LIST_NAMES = "billing_managers.list_names", _("see the billing managers' names")
    BILLING_MANAGERS_LIST_MAILS = (
        "billing_managers.list_mails",
        _("see billing managers' mail and invitations"),
    )
    BILLING_MANAGERS_INVITE = "billing_managers.invite", _("invite billing managers by mail")
    BILLING_MANAGERS_LINK = "billing_managers.link", _("copy billing manager invite links")
    BILLING_MANAGERS_REMOVE = "billing_managers.remove", _("remove billing managers")
    RUM_SUMMARY = "rum.summary", _("see resources under management")
    RUM_PER_STACK = "rum.per_stack", _("see resources under management per stack")
    USAGE_RECORD = "usage.record", _("report the resources of stacks, hour by hour")
    ORGANIZATIONS_LIST = "organizations.list", _("list all organizations")
    ORGANIZATIONS_CREATE = "organizations.create", _("create organizations for customers")
    ORGANIZATIONS_RENAME = "organizations.rename", _("rename any organization")
    ORGANIZATIONS_LINK = "organizations.link", _("give any organization an external id")
    RECORDS_VIEW = "records.view", _("see the records of every organization and person")
    PEOPLE_VIEW_AS = "people.view_as", _("see the portal as a person sees it")
    SESSIONS_END = "sessions.end", _("sign a person out everywhere")
    ADMINS_PROPOSE = "admins.propose", _("ask a colleague to make somebody an admin")
    ADMINS_CONFIRM = "admins.confirm", _("make somebody an admin whom a colleague asked for")
    MAILS_SEND_AGAIN = "mails.send_again", _("send a mail again, or to another address")
    QUEUES_SETTLE = "queues.settle", _("take out of a queue what needs nothing more")
    STRIPE_EVENTS_REPLAY = "stripe_events.replay", _("apply a message of Stripe's again")
    OPERATIONS_SETTLE = "operations.settle", _("try an operation at Stripe again, or give it up")
    BILLING_RECONCILE = "billing.reconcile", _("compare an organization with Stripe now")
    GRACE_EXTEND = "grace.extend", _("give an organization more time to pay")
    CREDITS_GIVE = "credits.give", _("give credits, or take given ones back")
    CUSTOMERS_MERGE = "customers.merge", _("move a customer at Stripe to another organization")

    @property
    def resource(self) -> str:
        return self.value.partition(".")[0]

    @property
    def reads(self) -> bool:
        """Whether the permission only lets see: no unsafe method may stand behind it."""
        return self.value.partition(".")[2] in READING_ACTIONS


READING_ACTIONS = {
    "api_list",
    "count",
    "list",
    "list_mails",
    "list_names",
    "per_stack",
    "read",
    "summary",
    "view",
}

# The parts of the table that people read, in its order, and the resources that each tells of.
PARTS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (_("Organization"), ("organization", "access", "webhooks")),
    (_("People"), ("members", "roles", "teams")),
    (_("Product"), ("stacks", "rum", "access_tokens", "policy_groups", "policy_packs")),
    (_("Billing"), ("billing",)),
    (_("Billing managers"), ("billing_managers",)),
    (_("Audit log"), ("audit",)),
)

P = Permission

# A billing manager has these where the organization says so; it is off unless an admin turns it on. One who
# only views never has.
DELEGABLE = frozenset({P.BILLING_MANAGERS_INVITE, P.BILLING_MANAGERS_LINK, P.BILLING_MANAGERS_REMOVE})

# The product beside the portal, which acts by a service token: over all organizations, and with no word in
# what they pay.
FOR_HOST_ONLY = frozenset(
    {P.ORGANIZATIONS_LIST, P.ORGANIZATIONS_CREATE, P.ORGANIZATIONS_RENAME, P.ORGANIZATIONS_LINK}
)
HOST_GRANTS = FOR_HOST_ONLY | {P.MEMBERS_INVITE, P.BILLING_MANAGERS_INVITE, P.MEMBERS_CHANGE_ROLE}
# What a program does by a token of the organization, and no person: what is reported is charged.
FOR_ORGANIZATIONS_ONLY = frozenset({P.USAGE_RECORD})
# What support staff alone do, in every organization: see STAFF_GRANTS.
FOR_STAFF_ONLY = frozenset(
    {
        P.RECORDS_VIEW,
        P.PEOPLE_VIEW_AS,
        P.SESSIONS_END,
        P.ADMINS_PROPOSE,
        P.ADMINS_CONFIRM,
        P.MAILS_SEND_AGAIN,
        P.QUEUES_SETTLE,
        P.STRIPE_EVENTS_REPLAY,
        P.OPERATIONS_SETTLE,
        P.BILLING_RECONCILE,
        P.GRACE_EXTEND,
        P.CREDITS_GIVE,
        P.CUSTOMERS_MERGE,
    }
)
# What people and their programs may hold.
OF_PEOPLE = frozenset(Permission) - FOR_HOST_ONLY - FOR_ORGANIZATIONS_ONLY - FOR_STAFF_ONLY

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: OF_PEOPLE,
    Role.MEMBER: frozenset(
        {
            P.ORGANIZATION_VIEW,
            P.ORGANIZATION_LEAVE,
            P.ACCESS_REQUEST,
            P.ROLES_VIEW,
            P.MEMBERS_COUNT,
            P.MEMBERS_LIST,
            P.MEMBERS_API_LIST,
            P.TEAMS_LIST,
            P.TEAMS_API_LIST,
            P.ACCESS_TOKENS_OWN,
            P.POLICY_GROUPS_READ,
            P.POLICY_PACKS_READ,
            P.STACKS_READ,
            P.RUM_SUMMARY,
            P.RUM_PER_STACK,
        }
    ),
    Role.BILLING_MANAGER: frozenset(
        {
            P.ORGANIZATION_VIEW,
            P.ORGANIZATION_LEAVE,
            P.ACCESS_REQUEST,
            P.MEMBERS_COUNT,
            P.MEMBERS_API_LIST,
            P.TEAMS_API_LIST,
            P.BILLING_VIEW,
            P.BILLING_CARD_UPDATE,
            P.BILLING_SUBSCRIPTION_UPDATE,
            P.BILLING_DETAILS_UPDATE,
            P.BILLING_INVOICES_PAY,
            P.BILLING_MANAGERS_LIST_NAMES,
            P.RUM_SUMMARY,
        }
    ),
    # An auditor, say: sees what a billing manager sees, and changes nothing.
    Role.BILLING_VIEWER: frozenset(
        {
            P.ORGANIZATION_VIEW,
            P.ORGANIZATION_LEAVE,
            P.ACCESS_REQUEST,
            P.MEMBERS_COUNT,
            P.MEMBERS_API_LIST,
            P.TEAMS_API_LIST,
            P.BILLING_VIEW,
            P.BILLING_MANAGERS_LIST_NAMES,
            P.RUM_SUMMARY,
        }
    ),
}

# Support staff, while a staff session of theirs is open. Who helps with people touches no money, and the
# other way round; one person may have both roles.
STAFF_GRANTS: dict[StaffRole, frozenset[Permission]] = {
    StaffRole.SUPPORT: frozenset(
        {
            P.RECORDS_VIEW,
            P.PEOPLE_VIEW_AS,
            P.SESSIONS_END,
            P.ADMINS_PROPOSE,
            P.ADMINS_CONFIRM,
            P.MAILS_SEND_AGAIN,
            P.QUEUES_SETTLE,
            P.MEMBERS_LIST,
            P.MEMBERS_INVITE,
            P.MEMBERS_CHANGE_ROLE,
            P.MEMBERS_REMOVE,
            P.BILLING_MANAGERS_LIST_NAMES,
            P.BILLING_MANAGERS_LIST_MAILS,
            P.BILLING_MANAGERS_INVITE,
            P.BILLING_MANAGERS_REMOVE,
        }
    ),
    StaffRole.BILLING_SUPPORT: frozenset(
        {
            P.RECORDS_VIEW,
            P.PEOPLE_VIEW_AS,
            P.MAILS_SEND_AGAIN,
            P.QUEUES_SETTLE,
            P.STRIPE_EVENTS_REPLAY,
            P.OPERATIONS_SETTLE,
            P.BILLING_RECONCILE,
            P.GRACE_EXTEND,
            P.CREDITS_GIVE,
            P.CUSTOMERS_MERGE,
        }
    ),
}

# What a closing organization leaves of all that its people may do: read, pay what is owed, and stop the
# closing. A card can be saved, since without one that pays nothing can be paid here; who is dismissed
# meanwhile must be kept out, and a secret that they know ended: a token's, a webhook's.
STAYS_WHILE_CLOSING = frozenset(
    {
        *(permission for permission in Permission if permission.reads),
        P.ORGANIZATION_CLOSE,
        P.ORGANIZATION_LEAVE,
        P.AUDIT_EXPORT,
        P.BILLING_CARD_UPDATE,
        P.BILLING_INVOICES_PAY,
        P.MEMBERS_REMOVE,
        P.BILLING_MANAGERS_REMOVE,
        P.ACCESS_TOKENS_OWN,
        P.ACCESS_TOKENS_MANAGE,
        P.WEBHOOKS_MANAGE,
    }
)

# Asked for by the API alone, in part by the product beside the portal: the Roles page leaves them out.
WITHOUT_PAGE = frozenset(
    {
        P.MEMBERS_API_LIST,
        P.TEAMS_API_LIST,
        P.POLICY_GROUPS_READ,
        P.POLICY_GROUPS_MANAGE,
        P.POLICY_PACKS_READ,
        P.POLICY_PACKS_MANAGE,
        P.STACKS_READ,
        P.STACKS_MANAGE,
    }
)

# Roles are not ordered: whom one may invite or remove follows from the permissions alone.
INVITE_PERMISSIONS = {
    Role.ADMIN: P.MEMBERS_INVITE,
    Role.MEMBER: P.MEMBERS_INVITE,
    Role.BILLING_MANAGER: P.BILLING_MANAGERS_INVITE,
    Role.BILLING_VIEWER: P.BILLING_MANAGERS_INVITE,
}

REMOVE_PERMISSIONS = {
    Role.ADMIN: P.MEMBERS_REMOVE,
    Role.MEMBER: P.MEMBERS_REMOVE,
    Role.BILLING_MANAGER: P.BILLING_MANAGERS_REMOVE,
    Role.BILLING_VIEWER: P.BILLING_MANAGERS_REMOVE,
}


class UnknownPermissionError(Exception):
    """A name that the policy doesn't know. Templates must not swallow it, so it is no LookupError."""


class Denied(Exception):
    """The principal lacks this permission. The gate answers 403 with a page that explains it."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(permission.value)
        self.permission = permission


class Principal(Protocol):
    """Who acts, as far as the policy has to know them."""

    @property
    def permissions(self) -> frozenset[Permission]: ...


def permissions_of(role: Role, *, delegated: bool, closing: bool = False) -> frozenset[Permission]:
    """All that a role may do; ``delegated``: the organization lets billing managers manage others."""
    granted = GRANTS[role]
    if delegated and role is Role.BILLING_MANAGER:
        granted |= DELEGABLE
    return granted & STAYS_WHILE_CLOSING if closing else granted


def permissions_of_staff(roles: Iterable[StaffRole], *, closing: bool = False) -> frozenset[Permission]:
    """All that somebody of support staff may do; ``closing``: in an organization that closes, where nobody
    new is let in, and money is settled all the same.
    """
    granted = frozenset[Permission]().union(*(STAFF_GRANTS[role] for role in roles))
    return granted & (STAYS_WHILE_CLOSING | FOR_STAFF_ONLY) if closing else granted


def permissions_by_token(
    granted: frozenset[Permission], scopes: frozenset[Permission]
) -> frozenset[Permission]:
    """All that a person may do by an access token of their own; ``granted``: what they may do themselves."""
    return granted & scopes if Permission.ACCESS_TOKENS_OWN in granted else frozenset()


def permissions_of_organization(*, closing: bool) -> frozenset[Permission]:
    """All that an organization may let a token of its own do, but for what stands on a person's right.

    What stacks hold is charged until it is closed, and so reported.
    """
    return permissions_of(Role.ADMIN, delegated=False, closing=closing) | FOR_ORGANIZATIONS_ONLY


# What the scope ``billing.read`` of programs means.
BILLING_READ = frozenset({Permission.ORGANIZATION_VIEW, Permission.BILLING_VIEW})


def permissions_by_program(granted: frozenset[Permission]) -> frozenset[Permission]:
    """All that a program may do which a person lets read billing: nothing where they can't see it."""
    return granted & BILLING_READ if Permission.BILLING_VIEW in granted else frozenset()


def may(principal: Principal | None, permission: Permission | str) -> bool:
    """Whether a principal holds a permission. Raises UnknownPermissionError for a name not in the policy."""
    asked = known(permission)
    return principal is not None and asked in principal.permissions


def may_invite(principal: Principal, role: Role) -> bool:
    """Whether a principal may give that role to somebody new."""
    return may(principal, INVITE_PERMISSIONS[role])


def ensure(principal: Principal | None, permission: Permission | str) -> None:
    """Raise Denied unless the principal holds the permission."""
    if not may(principal, permission):
        raise Denied(known(permission))


def known(permission: Permission | str) -> Permission:
    """The permission of that name. Raises UnknownPermissionError."""
    try:
        return Permission(permission)
    except ValueError:
        raise UnknownPermissionError(str(permission)) from None


def granting_roles(permission: Permission) -> list[Role]:
    """The roles that hold a permission whatever the organization's settings."""
    return [role for role in Role if permission in GRANTS[role]]


class May:
    """What templates ask: ``{% if may.billing_card_update %}``. An unknown name raises."""

    def __init__(self, principal: Principal | None) -> None:
        self._principal = principal

    def __getitem__(self, name: str) -> bool:
        try:
            permission = Permission[name.upper()]
        except KeyError:
            raise UnknownPermissionError(name) from None
        return may(self._principal, permission)


def table(
    *, without: Collection[Permission] = ()
) -> Iterable[tuple[Promise, list[tuple[Permission, dict[Role, str]]]]]:
    """The policy by part: per permission and role "yes", "no" or "delegable"."""
    for part, resources in PARTS:
        yield (
            part,
            [
                (permission, {role: _grant(role, permission) for role in Role})
                for permission in Permission
                if permission.resource in resources and permission in OF_PEOPLE and permission not in without
            ],
        )


def _grant(role: Role, permission: Permission) -> str:
    if permission in GRANTS[role]:
        return "yes"
    return "delegable" if permission in permissions_of(role, delegated=True) else "no"
