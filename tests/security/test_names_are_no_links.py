"""A name leads nowhere: on no page, not in the admin, and in no mail that was really sent."""

import pytest
from django.core.mail import EmailMultiAlternatives
from django.http import HttpResponse
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEvent
from billing.models import Invoice
from invitations.models import Invitation
from orgs.checks import all_routes
from orgs.models import Membership, Organization
from orgs.policy import Role
from outbox.delivery import deliver_due
from tests.conftest import SignIn
from tests.linkifiers import links, words_and_addresses
from tests.sampling import Part, in_parts
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(world: World) -> World:
    """With names that the forms take, and such as are older than the rule or come from Stripe."""
    User.objects.filter(email__startswith="own.").update(name="x@evil.example")
    Organization.objects.filter(pk=world.organization.pk).update(name="https://evil.example/")
    invitations = Invitation.objects.filter(organization=world.organization)
    invitations.update(invited_by_name="javascript:evil.example")
    Invoice.objects.filter(organization=world.organization).update(
        number="//evil.example", description="Pay at evil.example"
    )
    return world


def assert_leads_nowhere(response: HttpResponse, where: str) -> None:
    body = b"".join(response) if response.streaming else response.content
    _words, addresses = words_and_addresses(body.decode())
    assert not [address for address in addresses if "evil.example" in address], where


@in_parts(30)
def test_pages_make_no_links_of_names(part: Part, world: World) -> None:
    for route in part.of(all_routes()):
        url = world.url(route)
        assert_leads_nowhere((world.staff if route.of_admin else world.clients[Role.ADMIN]).get(url), url)
    for row in (world.organization, world.memberships[Role.ADMIN].user, AuditEvent.objects.all()[0]):
        url = reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
        assert_leads_nowhere(world.staff.get(url), url)


@pytest.mark.parametrize("name", ["Account locked. Visit evil-login.com", "mallory@evil-login.com"])
def test_a_name_that_the_form_took_leads_nowhere_in_the_mail(
    name: str, admin: Membership, sign_in: SignIn, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    client, slug = sign_in(admin), admin.organization.slug
    User.objects.filter(pk=admin.user_id).update(name=name)
    client.post(reverse("organization_settings", args=[slug]), {"name": name})
    client.post(reverse("managers_invite", args=[slug]), {"email": "lee@ledger.test"})
    assert Organization.objects.get(slug=slug).name == name, "kept as typed"
    deliver_due()
    (mail,) = mailoutbox
    words, _addresses = words_and_addresses(str(mail.alternatives[0][0]))
    for part in (mail.subject, mail.body, words):
        assert "evil-login" in part
        assert not [link for link in links(part) if "evil-login" in link]
