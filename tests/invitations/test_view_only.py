"""A billing manager who only views: sees all of billing, changes nothing, and counts as a billing manager."""

import pytest
from django.urls import reverse

from billing.models import InvoiceStatus
from billing.notices import tell_of_failed_payment
from invitations import services
from invitations.models import Invitation, Kind
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.services import change_role
from outbox.models import OutgoingEmail
from tests.billing.factories import InvoiceFactory
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory
from tests.invitations.pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(organization: Organization) -> Membership:
    return MembershipFactory(organization=organization, role=Role.BILLING_VIEWER)


def test_who_only_views_is_invited_by_mail_and_by_link(admin: Membership, sign_in: SignIn) -> None:
    client, slug = sign_in(admin), admin.organization.slug
    client.post(
        reverse("managers_invite", args=[slug]), {"email": "lee@ledger.test", "role": "billing_viewer"}
    )
    client.post(reverse("managers_link", args=[slug]), {"role": "billing_viewer"})
    found = Invitation.objects.order_by("kind").values_list("kind", "role")
    assert list(found) == [(Kind.LINK, Role.BILLING_VIEWER), (Kind.MAIL, Role.BILLING_VIEWER)]


@pytest.mark.parametrize("role", ["admin", "member", "billing_viewer2"])
def test_the_forms_of_billing_managers_give_no_other_role(
    role: str, admin: Membership, sign_in: SignIn
) -> None:
    client, slug = sign_in(admin), admin.organization.slug
    for name in ("managers_invite", "managers_link"):
        answer = client.post(reverse(name, args=[slug]), {"email": "lee@ledger.test", "role": role})
        assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_both_kinds_share_the_place_of_a_team_edition(sign_in: SignIn) -> None:
    organization = OrganizationFactory(edition_code="team-growth")
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    manager = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    with pytest.raises(Refused, match="room for 1 billing manager"):
        services.create_link(actor=admin, role=Role.BILLING_VIEWER)
    # Who has the place keeps it.
    change_role(actor=admin, membership_id=manager.pk, role=Role.BILLING_VIEWER)
    with pytest.raises(Refused, match="room for 1 billing manager"):
        services.create_link(actor=admin, role=Role.BILLING_MANAGER)


def test_the_link_that_waits_for_a_viewer_is_not_offered_as_a_billing_managers() -> None:
    organization = OrganizationFactory(edition_code="team-growth")
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    services.create_link(actor=admin, role=Role.BILLING_VIEWER)
    with pytest.raises(Refused, match="revoke the invitation first"):
        services.create_link(actor=admin, role=Role.BILLING_MANAGER)


def test_admins_see_who_only_views_and_change_it(
    admin: Membership, viewer: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    page = text(sign_in(admin).get(reverse("billing", args=[admin.organization.slug])))
    change = reverse("member_role", args=[admin.organization.slug, viewer.pk])
    assert page.count("View only") == 1
    assert f"{change}?role=billing_manager" in page
    own_like = text(sign_in(billing_manager).get(reverse("billing", args=[admin.organization.slug])))
    assert viewer.user.name in own_like
    assert "View only" not in own_like


def test_who_only_views_takes_no_seat_and_is_no_member(viewer: Membership) -> None:
    organization = viewer.organization
    assert not Membership.objects.for_org(organization).members().filter(pk=viewer.pk).exists()
    assert Membership.objects.for_org(organization).billing_managers().get() == viewer


def test_the_mail_about_a_failed_payment_goes_to_those_who_can_act(
    viewer: Membership, billing_manager: Membership
) -> None:
    invoice = InvoiceFactory(organization=viewer.organization, status=InvoiceStatus.OPEN)
    tell_of_failed_payment(viewer.organization, invoice)
    assert [mail.to for mail in OutgoingEmail.objects.all()] == [billing_manager.user.email]


def test_on_billing_who_only_views_reads_all_and_is_offered_no_act(
    viewer: Membership, sign_in: SignIn
) -> None:
    InvoiceFactory(organization=viewer.organization, number="INV-7")
    page = text(sign_in(viewer).get(reverse("billing", args=[viewer.organization.slug])))
    assert "INV-7" in page
    main = page.partition("<main")[2].partition("</main>")[0]
    assert 'method="post"' not in main
