"""Where a person begins in an organization: by their role, on the page that they came for."""

from django.urls import reverse

from orgs.policy import Role

STARTS = {
    Role.ADMIN: "dashboard",
    Role.MEMBER: "dashboard",
    Role.BILLING_MANAGER: "billing",
    Role.BILLING_VIEWER: "billing",
}


def start_url(slug: str, role: str) -> str:
    """The first page of the organization for people of that role."""
    return reverse(STARTS[Role(role)], args=[slug])
