"""Each role in plain words, for people who are invited to it, and where its people are listed."""

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orgs.policy import Role

WHAT_ROLE_DOES: dict[Role, Promise] = {
    Role.ADMIN: _(
        "An admin manages everything: people and their roles, billing, settings, and all that members see."
    ),
    Role.MEMBER: _("A member sees the dashboard, the stacks and the other members. Billing stays closed."),
    Role.BILLING_MANAGER: _(
        "A billing manager sees the organization's figures and its Billing & usage page: card, subscription, "
        "payments and invoices. Members' names, stacks and settings stay closed."
    ),
    Role.BILLING_VIEWER: _(
        "A billing manager who only views sees the organization's figures and its Billing & usage page, and "
        "changes nothing there. Members' names, stacks and settings stay closed."
    ),
}


def list_of(slug: str, role: Role) -> str:
    """The path of the page that lists an organization's people of that role, and their invitations."""
    return reverse("billing" if role.is_billing_manager else "members", args=[slug])
