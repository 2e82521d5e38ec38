"""Reading answers, and pressing the buttons of an invitation's page."""

from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from invitations.models import Invitation
from orgs.start import start_url


def text(response: HttpResponse) -> str:
    """The body with all white space made one space."""
    return " ".join(response.content.decode().split())


def page_of(invitation: Invitation) -> str:
    return reverse("invitation", args=[invitation.pk])


def start_of(invitation: Invitation) -> str:
    """Where who accepts it begins."""
    return start_url(invitation.organization.slug, invitation.role)


def accept(client: Client, invitation: Invitation, **options: Any) -> HttpResponse:
    """Press *Accept* on a page that showed the invitation as it is here."""
    url = reverse("invitation_accept", args=[invitation.pk])
    return client.post(url, {"generation": invitation.generation}, **options)


def decline(client: Client, invitation: Invitation, message: str = "", **options: Any) -> HttpResponse:
    """Press *Decline* on a page that showed the invitation as it is here."""
    url = reverse("invitation_decline", args=[invitation.pk])
    return client.post(url, {"generation": invitation.generation, "message": message}, **options)
