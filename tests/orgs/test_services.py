"""The rules of organizations and memberships."""

import pytest

from audit.models import AuditEvent
from orgs import events, services
from orgs.access_requests import request_access
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Denied, Permission, Role
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def change(actor: Membership, setting: str, seen: object, wanted: object) -> None:
    services.change_settings(actor=actor, changes={setting: services.Change(seen, wanted)})


def test_a_founder_becomes_the_first_admin() -> None:
    user = UserFactory()
    organization = services.create_organization(user=user, name="Acme Robotics")
    assert organization.slug == "acme-robotics"
    assert Membership.objects.get(organization=organization).role == Role.ADMIN
    assert actions() == ["organization.created"]


@pytest.mark.parametrize(("name", "taken"), [("Acme", "acme"), ("New", "new"), ("日本", "organization")])
def test_a_taken_or_reserved_or_empty_slug_gets_a_suffix(name: str, taken: str) -> None:
    if taken != "new":
        OrganizationFactory(slug=taken)
    organization = services.create_organization(user=UserFactory(), name=name)
    assert organization.slug.startswith(f"{taken}-")


def test_an_admin_changes_a_role(admin: Membership, member: Membership) -> None:
    services.change_role(actor=admin, membership_id=member.pk, role=Role.BILLING_MANAGER)
    member.refresh_from_db()
    assert member.role == Role.BILLING_MANAGER
    assert actions() == ["membership.role_changed"]
    mail = OutgoingEmail.objects.get()
    assert (mail.kind, mail.to) == ("role_changed", member.user.email)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.BILLING_MANAGER])
@pytest.mark.parametrize("new", Role)
def test_nobody_but_an_admin_changes_roles(
    organization: Organization, admin: Membership, role: Role, new: Role
) -> None:
    organization.managers_manage_managers = True
    organization.save()
    actor = MembershipFactory(organization=organization, role=role)
    target = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    with pytest.raises(Denied):
        services.change_role(actor=actor, membership_id=target.pk, role=new)
    assert actions() == []


def test_the_last_admin_can_be_neither_demoted_nor_leave(admin: Membership, member: Membership) -> None:
    with pytest.raises(Refused):
        services.change_role(actor=admin, membership_id=admin.pk, role=Role.MEMBER)
    with pytest.raises(Refused):
        services.leave(membership=admin)
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    services.leave(membership=admin)
    assert not Membership.objects.filter(pk=admin.pk).exists()
    assert actions() == ["membership.left"]


def test_an_admin_whose_account_was_shut_is_no_admin_that_remains(admin: Membership) -> None:
    shut = MembershipFactory(
        organization=admin.organization, role=Role.ADMIN, user=UserFactory(is_active=False)
    )
    with pytest.raises(Refused, match="needs an admin"):
        services.leave(membership=admin)
    services.remove_member(actor=admin, membership_id=shut.pk)
    assert not Membership.objects.filter(pk=shut.pk).exists()


def test_a_person_cannot_remove_himself(admin: Membership) -> None:
    MembershipFactory(organization=admin.organization, role=Role.ADMIN)
    with pytest.raises(Refused, match="Leave the organization"):
        services.remove_member(actor=admin, membership_id=admin.pk)


def test_a_member_of_another_organization_is_not_found(admin: Membership) -> None:
    foreign = MembershipFactory()
    with pytest.raises(Membership.DoesNotExist):
        services.remove_member(actor=admin, membership_id=foreign.pk)
    assert Membership.objects.filter(pk=foreign.pk).exists()


def test_a_role_lost_after_the_page_was_made_counts(admin: Membership, member: Membership) -> None:
    Membership.objects.filter(pk=admin.pk).update(role=Role.MEMBER)
    with pytest.raises(Denied):
        services.remove_member(actor=admin, membership_id=member.pk)


def test_removal_tells_the_person_the_log_and_the_apps_above(admin: Membership, member: Membership) -> None:
    heard: list[dict[str, object]] = []

    def hear(**kwargs: object) -> None:
        heard.append({key: kwargs[key] for key in ("organization_id", "user_id", "role")})

    events.membership_ended.connect(hear)
    try:
        services.remove_member(actor=admin, membership_id=member.pk)
    finally:
        events.membership_ended.disconnect(hear)
    assert heard == [
        {"organization_id": admin.organization_id, "user_id": member.user_id, "role": Role.MEMBER.value}
    ]
    assert actions() == ["membership.removed"]
    assert OutgoingEmail.objects.get().to == member.user.email


def test_a_billing_manager_removes_another_only_where_the_organization_says_so(
    organization: Organization, billing_manager: Membership, member: Membership
) -> None:
    other = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    with pytest.raises(Denied):
        services.remove_member(actor=billing_manager, membership_id=other.pk)
    Organization.objects.update(managers_manage_managers=True)
    with pytest.raises(Denied):
        services.remove_member(actor=billing_manager, membership_id=member.pk)
    services.remove_member(actor=billing_manager, membership_id=other.pk)
    assert not Membership.objects.filter(pk=other.pk).exists()


def test_a_team_edition_has_room_for_one_billing_manager() -> None:
    organization = OrganizationFactory(edition_code="team-growth")
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    member = MembershipFactory(organization=organization)
    with pytest.raises(Refused, match="room for 1 billing manager"):
        services.change_role(actor=admin, membership_id=member.pk, role=Role.BILLING_MANAGER)


def test_a_billing_manager_takes_no_seat_until_he_becomes_a_member() -> None:
    organization = OrganizationFactory(edition_code="team-pro", seats=1)
    admin = MembershipFactory(organization=organization, role=Role.ADMIN)
    manager = MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
    with pytest.raises(Refused, match="All 1 seats"):
        services.change_role(actor=admin, membership_id=manager.pk, role=Role.MEMBER)


def test_asking_for_access_mails_every_admin_once_a_day(
    admin: Membership, billing_manager: Membership
) -> None:
    for _again in range(2):
        request_access(actor=billing_manager, permission=Permission.STACKS_READ)
    assert [mail.to for mail in OutgoingEmail.objects.all()] == [admin.user.email]
    assert actions() == ["access.requested"]


def test_nobody_asks_for_what_he_may_do_already(admin: Membership, member: Membership) -> None:
    page_before = Membership.objects.select_related("organization").get(pk=member.pk)
    Membership.objects.filter(pk=member.pk).update(role=Role.BILLING_MANAGER)
    with pytest.raises(Refused, match="already"):
        request_access(actor=page_before, permission=Permission.BILLING_VIEW)
    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(1, "changed how long invitations last: 1 day"), (7, "changed how long invitations last: 7 days")],
)
def test_the_audit_log_counts_days_as_people_do(admin: Membership, days: int, sentence: str) -> None:
    change(admin, "invitation_max_age_days", None, days)
    assert AuditEvent.objects.get().sentence == sentence


def test_settings_change_only_when_they_differ(admin: Membership) -> None:
    name = admin.organization.name
    change(admin, "name", name, "Globex")
    change(admin, "name", name, "Globex")
    change(admin, "managers_manage_managers", False, False)
    change(admin, "invitation_max_age_days", None, 7)
    assert actions() == ["organization.renamed", "organization.invitation_age_changed"]
