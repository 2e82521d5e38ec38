"""The credits that support staff gave an organization."""

from credits.models import Grant
from orgs.models import Organization

SHOWN = 50


def given_credits(organization: Organization) -> list[Grant]:
    """The newest, each with what is ``left`` of it and its ``voiding``, if any. One statement."""
    given = Grant.objects.for_org(organization).given_by_staff().with_left(organization.pk)
    return list(given.select_related("voiding").order_by("-created_at", "-id")[:SHOWN])
