"""A form changes what it shows and nothing else, whatever fields a program adds to it."""

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from accounts.models import User
from orgs.checks import Route, all_routes
from orgs.models import Membership, Organization
from orgs.policy import Role
from tests.sampling import Part, in_parts
from tests.security.test_bad_input import OUR_APPS
from tests.test_access import ANYONE, INSIDE, SIGNED_IN
from tests.world import World

pytestmark = pytest.mark.django_db

# What each form is for: everything else of these rows has to stay as it was.
MAY_CHANGE = {
    "organization_settings": {
        "organization.name",
        "organization.invitation_max_age_days",
        "organization.managers_manage_managers",
    },
    "member_role": {"membership.role"},
    "manager_last_day": {"membership.last_day"},
    "start_step": {"membership.dismissed"},
    "usage_limits": {"organization.usage_budget", "organization.usage_stops"},
}
WATCHED = (Organization, Membership, User)


@pytest.fixture(autouse=True)
def _all_fields_are_read(settings: LazySettings) -> None:
    """A request with more fields than Django takes would be refused whatever it says."""
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000


def every_field(world: World) -> dict[str, str]:
    """Each field name of each model, with a value that would do harm."""
    names = {
        field.name
        for app in (*OUR_APPS, "auth")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
    }
    harmful = {
        "organization": str(world.foreign.pk),
        "organization_id": str(world.foreign.pk),
        "user": str(world.foreign_admin.user_id),
        "role": "admin",
        "slug": "stolen",
        "seats": "9999",
        "edition_code": "business-critical",
        "is_staff": "on",
        "is_superuser": "on",
        "is_active": "",
        "stripe_customer_id": "cus_stolen",
        "verified": "on",
        "state": "accepted",
    }
    fields = {**dict.fromkeys(names, "1"), **harmful}
    # Fields of forms that do what they say with them, such as removing one's own second factor.
    for own in ("email", "name", "password", "code"):
        fields.pop(own, None)
    return fields


def snapshot() -> dict[str, dict[str, object]]:
    return {
        f"{model._meta.model_name}:{row['id']}": row for model in WATCHED for row in model.objects.values()
    }


def changed(before: dict[str, dict[str, object]]) -> set[str]:
    after = snapshot()
    return {
        f"{key.partition(':')[0]}.{field}"
        for key in before.keys() & after.keys()
        for field, value in before[key].items()
        if after[key][field] != value and field != "last_login"
    }


def forms() -> list[Route]:
    own = [route for route in all_routes() if route.name in {*INSIDE, *SIGNED_IN, *ANYONE}]
    return [
        *own,
        *(route for route in all_routes() if route.of_library and route.name != "account_login"),
    ]


@in_parts(16)
def test_no_form_takes_a_field_that_it_does_not_show(part: Part, world: World) -> None:
    cache.clear()
    extra = every_field(world)
    for route in part.of(forms()):
        inside = route.name in INSIDE
        for client in (world.clients[Role.ADMIN],) if inside else (world.clients[Role.MEMBER], Client()):
            data = INSIDE[route.name].data if route.name in INSIDE else {}
            before = snapshot()
            savepoint = transaction.savepoint()
            client.post(world.url(route), {**extra, **data})
            assert changed(before) <= MAY_CHANGE.get(route.name or "", set()), route
            stolen = Organization.objects.filter(slug="stolen") | Organization.objects.filter(seats=9999)
            assert not stolen.exists(), route
            transaction.savepoint_rollback(savepoint)


def test_a_form_does_take_its_own_field_among_the_others(world: World) -> None:
    """Else the refusals above could have another reason."""
    url = f"/orgs/{world.organization.slug}/settings/general/"
    answer = world.clients[Role.ADMIN].post(url, {**every_field(world), "name": "Ledger"})
    assert answer.status_code == 302
    assert Organization.objects.filter(name="Ledger", slug="own").exists()


def test_signing_up_makes_an_ordinary_person(world: World) -> None:
    data = {"email": "new@ledger.test", "name": "Lee", "password1": "a sound password"}
    Client().post("/accounts/signup/", {**every_field(world), **data})
    user = User.objects.get(email="new@ledger.test")
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
    assert not user.memberships.exists()
    assert not user.emailaddress_set.filter(verified=True).exists()
    assert not user.groups.exists()


def test_founding_an_organization_buys_nothing(world: World) -> None:
    data = {**every_field(world), "name": "Ledger", "idempotency_key": ""}
    world.stranger.post("/orgs/new/", data)
    organization = Organization.objects.get(name="Ledger")
    assert (organization.edition_code, organization.seats, organization.slug) == (
        "team-growth",
        None,
        "ledger",
    )


@in_parts(3)
def test_another_organizations_id_in_a_body_moves_nothing(part: Part, world: World) -> None:
    client = world.clients[Role.ADMIN]
    for name, row in part.of(INSIDE.items()):
        if row.post and Role.ADMIN in row.post:
            route = next(route for route in all_routes() if route.name == name)
            before = list(Membership.objects.filter(organization=world.foreign).values())
            data = {**row.data, **{key: str(value) for key, value in world.foreign_ids.items()}}
            data |= {"organization": str(world.foreign.pk), "slug": world.foreign.slug}
            savepoint = transaction.savepoint()
            client.post(world.url(route), data)
            assert list(Membership.objects.filter(organization=world.foreign).values()) == before, name
            transaction.savepoint_rollback(savepoint)
