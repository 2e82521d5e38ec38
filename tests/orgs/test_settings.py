"""The settings of an organization: one form, that saves what the person changed and overwrites nobody."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from orgs import services
from orgs.errors import PageOutdated
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.services import Change
from tests.conftest import SignIn
from tests.factories import MembershipFactory, OrganizationFactory
from tests.races import ROUNDS, at_once
from tests.world import signed_in

FIELDS = ("name", "invitation_max_age_days", "managers_manage_managers")


def shown(client: Client, organization: Organization) -> dict[str, str]:
    """What a browser would send of the page as it is drawn now: values, and what they were at first."""
    form = client.get(url(organization)).context["form"]
    data = {}
    for name in FIELDS:
        value = form[name].value()
        data[form[name].html_initial_name] = "" if value is None else str(value)
        if value not in (None, False):
            data[name] = "on" if value is True else str(value)
    return data


def url(organization: Organization) -> str:
    return reverse("organization_settings", args=[organization.slug])


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def settings_of(organization: Organization) -> tuple[str, int | None, bool]:
    now = Organization.objects.get(pk=organization.pk)
    return now.name, now.invitation_max_age_days, now.managers_manage_managers


@pytest.fixture
def globex(admin: Membership) -> Organization:
    admin.organization.name = "Globex"
    admin.organization.save()
    return admin.organization


def test_one_press_saves_every_setting_and_says_so_once(
    admin: Membership, globex: Organization, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    page = client.get(url(globex)).content.decode()
    assert page.count('type="submit">Save') == 1
    data = shown(client, globex) | {
        "name": "Hooli",
        "invitation_max_age_days": "30",
        "managers_manage_managers": "on",
    }
    response = client.post(url(globex), data)
    assert said(response) == ["Settings saved."]
    assert settings_of(globex) == ("Hooli", 30, True)
    assert sorted(AuditEvent.objects.values_list("action", flat=True)) == [
        "organization.invitation_age_changed",
        "organization.managers_setting_changed",
        "organization.renamed",
    ]


def test_the_page_says_what_it_showed(admin: Membership, globex: Organization, sign_in: SignIn) -> None:
    """As the hidden fields of the page itself, so that the helper above sends what a browser would."""
    page = sign_in(admin).get(url(globex)).content.decode()
    for name, value in (("name", "Globex"), ("managers_manage_managers", "False")):
        assert f'<input type="hidden" name="initial-{name}" value="{value}"' in page
    assert '<input type="hidden" name="initial-invitation_max_age_days"' in page


@pytest.mark.parametrize(
    ("theirs", "mine", "outcome"),
    [
        ({"invitation_max_age_days": 7}, {"name": "Hooli"}, ("Hooli", 7, False)),
        ({"name": "Hooli"}, {"invitation_max_age_days": "7"}, ("Hooli", 7, False)),
        ({"managers_manage_managers": True}, {"name": "Hooli"}, ("Hooli", None, True)),
        ({"name": "Hooli"}, {"name": "Hooli"}, ("Hooli", None, False)),
    ],
    ids=["age", "name", "managers", "the same"],
)
def test_a_page_drawn_earlier_leaves_what_another_admin_saved_meanwhile(
    theirs: dict[str, object],
    mine: dict[str, str],
    outcome: tuple[str, int | None, bool],
    admin: Membership,
    globex: Organization,
    sign_in: SignIn,
) -> None:
    client = sign_in(admin)
    data = shown(client, globex) | mine
    Organization.objects.filter(pk=globex.pk).update(**theirs)
    assert client.post(url(globex), data).status_code == 302
    assert settings_of(globex) == outcome


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [
        ({"name": "Initech"}, {"name": "Hooli", "invitation_max_age_days": "7"}),
        ({"invitation_max_age_days": 3}, {"name": "Hooli", "invitation_max_age_days": "7"}),
    ],
    ids=["name", "age"],
)
def test_of_a_setting_that_both_changed_nothing_is_saved_and_the_page_is_shown_anew(
    theirs: dict[str, object],
    mine: dict[str, str],
    admin: Membership,
    globex: Organization,
    sign_in: SignIn,
) -> None:
    client = sign_in(admin)
    data = shown(client, globex) | mine
    Organization.objects.filter(pk=globex.pk).update(**theirs)
    before = settings_of(globex)
    response = client.post(url(globex), data)
    page = response.content.decode()
    assert response.status_code == 409
    assert "Somebody else changed this meanwhile" in page
    assert settings_of(globex) == before
    assert not AuditEvent.objects.exists()
    form = response.context["form"]
    assert tuple(form[name].value() for name in FIELDS) == before
    assert before[0] in page
    assert "Hooli" not in page


def test_a_page_whose_initial_value_was_made_up_saves_nothing(
    admin: Membership, globex: Organization, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    data = shown(client, globex) | {
        "initial-invitation_max_age_days": "soon",
        "invitation_max_age_days": "7",
    }
    assert client.post(url(globex), data).status_code == 409
    assert settings_of(globex) == ("Globex", None, False)


def test_the_password_is_asked_for_only_where_who_manages_managers_changes(
    admin: Membership, globex: Organization
) -> None:
    client = signed_in(admin.user, ago=timedelta(hours=1))
    harmless = client.post(url(globex), shown(client, globex) | {"name": "Hooli"})
    assert harmless.headers["Location"] == url(globex)
    sensitive = client.post(url(globex), shown(client, globex) | {"managers_manage_managers": "on"})
    assert sensitive.headers["Location"].startswith(reverse("account_reauthenticate"))
    asked = client.get(sensitive.headers["Location"]).content.decode()
    assert "Next step, in Hooli: change the organization&#x27;s settings." in asked
    assert settings_of(globex) == ("Hooli", None, False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_admins_who_change_the_name_at_once_one_reads_that_the_other_did(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory(name="Globex")
        admins = [MembershipFactory(organization=organization, role=Role.ADMIN) for _ in range(2)]
        outcomes = at_once(
            *(
                lambda own=own, name=name: services.change_settings(
                    actor=own, changes={"name": Change("Globex", name)}
                )
                for own, name in zip(admins, ("Hooli", "Initech"), strict=True)
            )
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", PageOutdated.__name__]
        assert AuditEvent.objects.filter(organization_id=organization.pk).count() == 1
