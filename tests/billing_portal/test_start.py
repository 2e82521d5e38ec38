"""Where people begin: after signing in, after accepting, and at the address of the portal alone."""

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from invitations.claims import mint
from orgs.models import Membership
from orgs.policy import Role
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.invitations.claims import by_mail
from tests.invitations.factories import InvitationFactory
from tests.invitations.pages import accept
from tests.world import signed_in

pytestmark = pytest.mark.django_db

FIRST_PAGE = {
    Role.ADMIN: "",
    Role.MEMBER: "",
    Role.BILLING_MANAGER: "settings/billing/",
    Role.BILLING_VIEWER: "settings/billing/",
}


def begins_at(client: Client) -> str:
    return client.get("/").headers["Location"]


def test_visitors_read_what_this_is_and_are_offered_the_sign_in(settings: LazySettings) -> None:
    settings.ISSUER_NAME = "Ledger Cloud"
    page = Client().get("/").content.decode()
    assert "customers of Ledger Cloud" in page
    for name in ("account_login", "account_signup", "help"):
        assert f'href="{reverse(name)}"' in page


def test_the_start_page_names_no_company_where_the_settings_name_none(settings: LazySettings) -> None:
    settings.ISSUER_NAME = ""
    assert "customers of" not in Client().get("/").content.decode()


def test_signing_out_ends_on_the_start_page(admin: Membership, sign_in: SignIn) -> None:
    answer = sign_in(admin).post(reverse("account_logout"), follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "You have signed out." in answer.content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_a_person_of_one_organization_goes_straight_in(role: Role) -> None:
    only = MembershipFactory(role=role)
    client = signed_in(only.user)
    assert begins_at(client) == f"/orgs/{only.organization.slug}/{FIRST_PAGE[role]}"
    assert client.get("/orgs/").status_code == 200


def test_a_person_of_several_organizations_or_of_none_begins_with_the_list(
    admin: Membership, sign_in: SignIn
) -> None:
    assert begins_at(signed_in(UserFactory())) == "/orgs/"
    MembershipFactory(user=admin.user)
    assert begins_at(sign_in(admin)) == "/orgs/"


def test_an_invitation_that_waits_is_shown_first(admin: Membership, sign_in: SignIn) -> None:
    InvitationFactory(email=admin.user.email)
    assert begins_at(sign_in(admin)) == "/orgs/"


def test_support_staff_begin_in_the_admin() -> None:
    assert begins_at(signed_in(UserFactory(is_staff=True))) == "/admin/"


def test_staff_who_are_in_an_organization_begin_there() -> None:
    only = MembershipFactory(user=UserFactory(is_staff=True), role=Role.ADMIN)
    assert begins_at(signed_in(only.user)) == f"/orgs/{only.organization.slug}/"


@pytest.mark.parametrize("role", list(Role))
def test_who_accepts_begins_on_the_page_of_their_role(role: Role, admin: Membership) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin, role=role)
    client = signed_in(UserFactory(email=invitation.email))
    client.get(reverse("invitation_token", args=[mint(by_mail(invitation))]))
    answer = accept(client, invitation)
    assert answer.headers["Location"] == f"/orgs/{admin.organization.slug}/{FIRST_PAGE[role]}"


def test_who_opens_an_accepted_invitation_again_comes_to_the_page_of_their_role_today(
    admin: Membership,
) -> None:
    invitation = InvitationFactory(organization=admin.organization, inviter=admin, role=Role.BILLING_MANAGER)
    client = signed_in(UserFactory(email=invitation.email))
    client.get(reverse("invitation_token", args=[mint(by_mail(invitation))]))
    accept(client, invitation)
    Membership.objects.filter(user__email=invitation.email).update(role=Role.MEMBER)
    again = client.get(f"/invitations/{invitation.pk}/")
    assert again.headers["Location"] == f"/orgs/{admin.organization.slug}/"
