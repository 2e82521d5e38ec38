"""Help for each role, drawn from the policy: what people of that role may do, and where they do it.

For everybody, signed in or not: what a role means is no secret of an organization.
"""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import Audience, open_to
from orgs.policy import Permission, Role, table
from orgs.selectors import ROLE_SENTENCES

P = Permission

IN_THE_PRODUCT = _("In the product itself, which asks the portal whether you may.")

# Where each act is done. Every permission that the product has needs its sentence: a test holds it.
HOW: dict[Permission, Promise] = {
    P.ORGANIZATION_VIEW: _("Choose the organization in the list of organizations."),
    P.ORGANIZATION_CONFIGURE: _("Open “General”. The name and the rules for invitations are there."),
    P.ORGANIZATION_CLOSE: _("Open “General”, and choose “Close organization” at the end of the page."),
    P.ORGANIZATION_LEAVE: _("In the list of organizations, choose “Leave” beside the organization."),
    P.ACCESS_REQUEST: _("Where a page says that you can't open it, press “Ask for access”."),
    P.WEBHOOKS_MANAGE: _("Open “Webhooks”. Your own programs are told there what happens."),
    P.ROLES_VIEW: _("Open “Roles”."),
    P.MEMBERS_COUNT: _("The number stands on the dashboard."),
    P.MEMBERS_LIST: _("Open “Members”."),
    P.MEMBERS_API_LIST: _("By a program: see the page about the API."),
    P.MEMBERS_INVITE: _("On “Members”, press “Invite member” or “Copy invite link”."),
    P.MEMBERS_CHANGE_ROLE: _("On “Members”, open the menu beside the person."),
    P.MEMBERS_REMOVE: _("On “Members”, open the menu beside the person."),
    P.TEAMS_LIST: _("Open “Teams”."),
    P.TEAMS_API_LIST: _("By a program: see the page about the API."),
    P.TEAMS_MANAGE: _("Open “Teams”, and press “Create team” or choose one."),
    P.ACCESS_TOKENS_OWN: _("Open “Access tokens”, and press “Make token”."),
    P.ACCESS_TOKENS_MANAGE: _("Open “Access tokens”. All of the organization are listed there."),
    P.POLICY_GROUPS_READ: IN_THE_PRODUCT,
    P.POLICY_GROUPS_MANAGE: IN_THE_PRODUCT,
    P.POLICY_PACKS_READ: IN_THE_PRODUCT,
    P.POLICY_PACKS_MANAGE: IN_THE_PRODUCT,
    P.STACKS_READ: IN_THE_PRODUCT,
    P.STACKS_MANAGE: IN_THE_PRODUCT,
    P.AUDIT_READ: _("Open “Audit log”."),
    P.AUDIT_EXPORT: _("On “Audit log”, press “Export as CSV”. What the filter finds is in the file."),
    P.BILLING_VIEW: _("Open “Billing & usage”. All invoices are linked there, each with its PDF."),
    P.BILLING_CARD_UPDATE: _(
        "On “Billing & usage”, under “Payment methods”. Cards are typed in on Stripe's page."
    ),
    P.BILLING_SUBSCRIPTION_UPDATE: _(
        "On “Billing & usage”, under “Plan”. You see what it costs before anything is charged."
    ),
    P.BILLING_DETAILS_UPDATE: _("On “Billing & usage”, press “Change details”."),
    P.BILLING_INVOICES_PAY: _(
        "On “Billing & usage”, or on the page of an invoice. The button names the amount."
    ),
    P.BILLING_MANAGERS_LIST_NAMES: _("On “Billing & usage”, under “Billing managers”."),
    P.BILLING_MANAGERS_LIST_MAILS: _("On “Billing & usage”, under “Billing managers”."),
    P.BILLING_MANAGERS_INVITE: _("On “Billing & usage”, press “Invite billing manager”."),
    P.BILLING_MANAGERS_LINK: _("On “Billing & usage”, press “Copy billing manager invite link”."),
    P.BILLING_MANAGERS_REMOVE: _("On “Billing & usage”, open the menu beside the billing manager."),
    P.RUM_SUMMARY: _("The dashboard shows them, day by day."),
    P.RUM_PER_STACK: _("Open “Stacks”. The dashboard lists the largest."),
    P.STACKS_LABEL: _("On “Stacks”, choose some, type a label, press “Set label”."),
}


@dataclass(frozen=True)
class Ability:
    """``if_allowed``: only where the organization says so."""

    permission: Permission
    how: Promise | None
    if_allowed: bool


@dataclass(frozen=True)
class RoleHelp:
    """``abilities``: by part of the product; ``closed``: what other roles may do, and this one may not."""

    role: Role
    sentence: Promise
    abilities: list[tuple[Promise, list[Ability]]]
    closed: list[Permission]


@open_to(Audience.ANYONE, "GET")
def roles_in_short(request: HttpRequest) -> HttpResponse:
    """The roles, one sentence each."""
    return render(request, "help/roles.html", {"roles": [(role, ROLE_SENTENCES[role]) for role in Role]})


@open_to(Audience.ANYONE, "GET")
def help_page(request: HttpRequest, role: str) -> HttpResponse:
    if role not in Role.values:
        raise Http404
    return render(request, "help/role.html", {"page": help_for(Role(role))})


def help_for(role: Role) -> RoleHelp:
    abilities: list[tuple[Promise, list[Ability]]] = []
    closed: list[Permission] = []
    for part, rows in table():
        of_part = [
            Ability(permission, HOW.get(permission), if_allowed=grants[role] == "delegable")
            for permission, grants in rows
            if grants[role] != "no"
        ]
        if of_part:
            abilities.append((part, of_part))
        closed += [permission for permission, grants in rows if grants[role] == "no"]
    return RoleHelp(role, ROLE_SENTENCES[role], abilities, closed)
