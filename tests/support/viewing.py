"""Staff who see the portal as somebody else, for tests."""

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from orgs.models import Membership

WHY = {"ticket": "48213", "reason": "The customer asked by phone"}
STOP = reverse("viewing_stop")


def view_as(client: Client, membership: Membership, **data: str) -> HttpResponse:
    """Press the button of the dialog that asks."""
    shown = {"user_pk": str(membership.user_id), **WHY, **data}
    return client.post(reverse("admin:act_view_as", args=[membership.pk]), shown)


def viewer(client: Client, membership: Membership) -> Client:
    """The staff member's browser, which sees what the person sees."""
    answer = view_as(client, membership)
    assert (answer.status_code, client.session["viewing"]["slug"]) == (302, membership.organization.slug)
    return client
