"""The pages of this app, through their URLs."""

import re
from functools import partial

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from audit.services import Actor, record
from orgs.actions import ORGANIZATION_RENAMED
from orgs.models import Membership, Organization
from orgs.policy import OF_PEOPLE, WITHOUT_PAGE, Permission, Role
from orgs.selectors import AUDIT_PAGE_SIZE
from outbox.models import OutgoingEmail
from tests.conftest import SignIn
from tests.factories import MembershipFactory, UserFactory
from tests.races import at_once


def url(name: str, membership: Membership, *args: object) -> str:
    return reverse(name, args=[membership.organization.slug, *args])


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_refusal_says_what_is_missing_who_can_grant_it_and_offers_to_ask(
    billing_manager: Membership, sign_in: SignIn
) -> None:
    response = sign_in(billing_manager).get(url("audit_log", billing_manager))
    page = response.content.decode()
    assert response.status_code == 403
    assert str(Permission.AUDIT_READ.label) in page
    assert "Only admins may do this" in page
    assert url("access_request", billing_manager) in page
    assert 'value="audit.read"' in page


def test_the_button_of_the_refusal_mails_the_admins(
    admin: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    response = sign_in(billing_manager).post(
        url("access_request", billing_manager), {"permission": "audit.read"}
    )
    assert response.status_code == 302
    mail = OutgoingEmail.objects.get()
    assert (mail.kind, mail.to) == ("access_requested", admin.user.email)


def test_an_admin_makes_a_member_an_admin(admin: Membership, member: Membership, sign_in: SignIn) -> None:
    response = sign_in(admin).post(
        url("member_role", admin, member.pk), {"role": "admin", "shown_role": "member"}
    )
    assert f"The role of {member.user.name} is admin now." in said(response)[0]
    member.refresh_from_db()
    assert member.role == Role.ADMIN


def test_changing_a_role_asks_for_the_password_when_it_was_given_long_ago(
    admin: Membership, member: Membership
) -> None:
    client = Client()
    client.force_login(admin.user)
    response = client.post(url("member_role", admin, member.pk), {"role": "admin", "shown_role": "member"})
    assert response.headers["Location"].startswith(reverse("account_reauthenticate"))
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_an_unknown_role_changes_nothing(admin: Membership, member: Membership, sign_in: SignIn) -> None:
    response = sign_in(admin).post(
        url("member_role", admin, member.pk), {"role": "owner", "shown_role": "member"}
    )
    assert said(response) == ["Choose one of the roles: admin, member or billing manager."]
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_the_last_admin_reads_why_he_cannot_leave(admin: Membership, sign_in: SignIn) -> None:
    response = sign_in(admin).post(url("leave", admin), follow=True)
    assert "Make somebody else an admin first" in response.content.decode()
    assert Membership.objects.filter(pk=admin.pk).exists()


def test_a_billing_manager_can_leave(admin: Membership, billing_manager: Membership, sign_in: SignIn) -> None:
    sign_in(billing_manager).post(url("leave", billing_manager))
    assert not Membership.objects.filter(pk=billing_manager.pk).exists()


def test_asking_to_remove_removes_nobody(admin: Membership, member: Membership, sign_in: SignIn) -> None:
    page = sign_in(admin).get(url("member_remove", admin, member.pk)).content.decode()
    assert f"Remove {member.user.name} from" in page
    assert Membership.objects.filter(pk=member.pk).exists()


@pytest.mark.parametrize(
    "name",
    ["", "x" * 81, "Acme\nBcc: all@example.test", "win at https://evil.test", "a\u202eb", "<b>Acme</b>"],
)
def test_a_bad_name_is_refused_and_changes_nothing(admin: Membership, sign_in: SignIn, name: str) -> None:
    before = admin.organization.name
    response = sign_in(admin).post(url("organization_settings", admin), {"name": name})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'aria-invalid="true"' in page
    assert before in page
    assert Organization.objects.get(pk=admin.organization_id).name == before


@pytest.mark.parametrize("days", ["-1", "0", "366", "x"])
def test_the_expiry_of_invitations_has_bounds(days: str, admin: Membership, sign_in: SignIn) -> None:
    data = {"name": admin.organization.name, "invitation_max_age_days": days}
    response = sign_in(admin).post(url("organization_settings", admin), data)
    assert response.status_code == 422
    assert "Choose from 1 to 365 days" in response.content.decode()


def test_every_setting_can_be_saved(admin: Membership, sign_in: SignIn) -> None:
    data = {"name": "Globex", "invitation_max_age_days": "30", "managers_manage_managers": "on"}
    response = sign_in(admin).post(url("organization_settings", admin), data)
    assert said(response) == ["Settings saved."]
    organization = Organization.objects.get(pk=admin.organization_id)
    assert (
        organization.name,
        organization.invitation_max_age_days,
        organization.managers_manage_managers,
    ) == (
        "Globex",
        30,
        True,
    )


def test_a_person_founds_an_organization(sign_in: SignIn, member: Membership) -> None:
    response = sign_in(member).post(reverse("new_organization"), {"name": "Hooli"}, follow=True)
    assert response.redirect_chain == [("/orgs/hooli/", 302)]


def drawn_key(client: Client) -> str:
    """What *New organization* sends beside the name, as its page was drawn."""
    page = client.get(reverse("new_organization")).content.decode()
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key is not None
    return key[1]


def found(client: Client, name: str, key: str) -> HttpResponse:
    return client.post(reverse("new_organization"), {"name": name, "idempotency_key": key})


def test_pressed_four_times_it_founds_one_organization(sign_in: SignIn, member: Membership) -> None:
    client = sign_in(member)
    key = drawn_key(client)
    answers = {found(client, "Hooli", key).headers["Location"] for _press in range(4)}
    assert answers == {"/orgs/hooli/"}
    assert Organization.objects.filter(name="Hooli").count() == 1
    assert Membership.objects.filter(organization__name="Hooli").count() == 1
    assert AuditEvent.objects.filter(action="organization.created").count() == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_pressed_four_times_at_once_it_founds_one_organization(sign_in: SignIn) -> None:
    member = MembershipFactory()
    for number in range(5):
        clients = [sign_in(member) for _press in range(4)]
        key, name = drawn_key(clients[0]), f"Hooli {number}"
        answers = at_once(*[partial(found, client, name, key) for client in clients])
        assert {answer.headers["Location"] for answer in answers} == {f"/orgs/hooli-{number}/"}
        assert Membership.objects.filter(organization__name=name).count() == 1


def test_another_page_another_name_and_another_person_found_another_one(
    sign_in: SignIn, admin: Membership, member: Membership
) -> None:
    client = sign_in(member)
    key = drawn_key(client)
    found(client, "Hooli", key)
    found(client, "Hooli", drawn_key(client))
    found(client, "Hooli Labs", key)
    found(sign_in(admin), "Hooli", key)
    assert Organization.objects.filter(name__startswith="Hooli").count() == 4
    assert Membership.objects.filter(user=member.user, organization__name="Hooli").count() == 2


@pytest.mark.parametrize("key", ["x", "9" * 400, "\x00"])
def test_a_damaged_form_founds_nothing_and_says_so(key: str, sign_in: SignIn, member: Membership) -> None:
    answer = found(sign_in(member), "Hooli", key)
    assert answer.status_code == 422
    assert "Reload the page and fill it in again." in answer.content.decode()
    assert not Organization.objects.filter(name="Hooli").exists()


def test_the_list_shows_ones_own_organizations_only(member: Membership, sign_in: SignIn) -> None:
    foreign = MembershipFactory()
    page = sign_in(member).get(reverse("organizations")).content.decode()
    assert member.organization.name in page
    assert foreign.organization.name not in page


def test_a_person_without_organizations_is_told_what_to_do(db: None) -> None:
    client = Client()
    client.force_login(UserFactory())
    assert "You are in no organization" in client.get(reverse("organizations")).content.decode()


def fill_log(admin: Membership, events: int) -> None:
    for number in range(events):
        record(
            ORGANIZATION_RENAMED,
            actor=Actor.person(admin.user),
            organization=admin.organization,
            old=f"old-{number}",
            new=f"new-{number}",
        )


def test_the_audit_log_pages_by_key(admin: Membership, sign_in: SignIn) -> None:
    fill_log(admin, AUDIT_PAGE_SIZE + 1)
    client = sign_in(admin)
    first = client.get(url("audit_log", admin))
    older = first.context["page"].older
    assert len(first.context["page"].events) == AUDIT_PAGE_SIZE
    second = client.get(url("audit_log", admin), {"before": older})
    assert [event.data["new"] for event in second.context["page"].events] == ["new-0"]


def test_the_audit_log_filters_by_action_and_by_person(admin: Membership, sign_in: SignIn) -> None:
    fill_log(admin, 2)
    client = sign_in(admin)
    assert not client.get(url("audit_log", admin), {"action": "membership.left"}).context["page"].events
    assert len(client.get(url("audit_log", admin), {"person": admin.user.name}).context["page"].events) == 2
    assert not client.get(url("audit_log", admin), {"person": "nobody"}).context["page"].events


@pytest.mark.parametrize("query", [{"before": "x"}, {"before": "-1"}, {"before": "9" * 40}])
def test_a_broken_query_shows_a_page_all_the_same(
    admin: Membership, sign_in: SignIn, query: dict[str, str]
) -> None:
    assert sign_in(admin).get(url("audit_log", admin), query).status_code == 200


def test_the_audit_log_is_of_one_organization(admin: Membership, sign_in: SignIn) -> None:
    fill_log(MembershipFactory(role=Role.ADMIN), 1)
    assert not sign_in(admin).get(url("audit_log", admin)).context["page"].events
    assert AuditEvent.objects.exists()


def test_the_roles_page_tells_of_what_the_product_has(member: Membership, sign_in: SignIn) -> None:
    page = sign_in(member).get(url("roles", member)).content.decode()
    told = {permission for permission in Permission if f'"{permission.value}"' in page}
    assert told == OF_PEOPLE - WITHOUT_PAGE


def test_the_roles_page_counts_billing_managers_for_those_who_may_know_them(
    admin: Membership, member: Membership, billing_manager: Membership, sign_in: SignIn
) -> None:
    def people(reader: Membership) -> dict[Role, int | None]:
        page = sign_in(reader).get(url("roles", reader)).context["page"]
        return {card.role: card.people for card in page.cards}

    everybody = {Role.ADMIN: 1, Role.MEMBER: 1, Role.BILLING_MANAGER: 1, Role.BILLING_VIEWER: 0}
    assert people(admin) == everybody
    assert people(member) == {**everybody, Role.BILLING_MANAGER: None, Role.BILLING_VIEWER: None}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("organization_settings", {"name": "Globex"}),
        ("members_invite", {"email": "lee@example.test", "role": "member"}),
        ("members_link", {"role": "member"}),
        ("managers_link", {}),
        ("card", {}),
        ("leave", {}),
        ("access_request", {"permission": "billing.view"}),
    ],
)
def test_who_is_removed_while_his_request_runs_finds_nothing(
    admin: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, name: str, data: dict[str, str]
) -> None:
    def remove(membership: Membership, _permission: Permission) -> None:
        Membership.objects.filter(pk=membership.pk).delete()

    monkeypatch.setattr("orgs.access.ensure", remove)
    assert sign_in(admin).post(url(name, admin), data).status_code == 404
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_who_loses_their_role_while_their_request_runs_reads_what_they_lack(
    admin: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    def demote(membership: Membership, _permission: Permission) -> None:
        Membership.objects.filter(pk=membership.pk).update(role=Role.MEMBER)

    monkeypatch.setattr("orgs.access.ensure", demote)
    response = sign_in(admin).post(url("members_link", admin), {"role": "member"}, headers=headers)
    assert response.status_code == 403
    assert str(Permission.MEMBERS_INVITE.label) in response.content.decode()
    assert not AuditEvent.objects.exists()
