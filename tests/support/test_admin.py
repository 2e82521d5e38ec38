"""The admin reads everything and changes nothing."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import JSONField, Model
from django.urls import reverse

from accounts.second_factor import MFAAdapter
from bench.statements import sent_statements
from billing.models import BillingAccount
from orgs.models import Organization
from support.json_words import lines
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.world import World

OUR_APPS = ["accounts", "audit", "billing", "credits", "hooks", "invitations", "orgs", "outbox", "usage"]
# The admin can't show a model with a composite primary key; its roll-ups are there instead.
NOT_SHOWN = {"usage.HourlyCount"}


def test_every_model_is_registered() -> None:
    models = {model for app in OUR_APPS for model in apps.get_app_config(app).get_models()}
    assert {model._meta.label for model in models if not admin.site.is_registered(model)} == NOT_SHOWN


@pytest.mark.django_db
@pytest.mark.parametrize("model", sorted(admin.site._registry, key=lambda model: model._meta.label))
def test_a_list_is_readable_and_searchable_but_not_changeable(model: type, world: World) -> None:
    staff = world.staff
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    response = staff.get(reverse(f"{name}_changelist"), {"q": "canary"})
    assert response.status_code == 200
    if model._meta.app_label in OUR_APPS:
        assert admin.site._registry[model].search_fields
    assert staff.get(reverse(f"{name}_add")).status_code == 403
    for instance in model._default_manager.all()[:1]:
        page = staff.get(reverse(f"{name}_change", args=[instance.pk]))
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
        assert staff.post(reverse(f"{name}_delete", args=[instance.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.django_db
def test_no_action_of_a_library_changes_records(world: World) -> None:
    staff = world.staff
    changelist = reverse("admin:account_emailaddress_changelist")
    address = EmailAddress.objects.filter(verified=True).first()
    assert address is not None
    EmailAddress.objects.filter(pk=address.pk).update(verified=False)
    staff.post(changelist, {"action": "make_verified", "_selected_action": [address.pk]})
    address.refresh_from_db()
    assert not address.verified


@pytest.mark.django_db
def test_second_factors_lie_encrypted_and_are_shown_to_nobody(world: World) -> None:
    user = UserFactory()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    authenticator = Authenticator.objects.get(user=user)
    assert "JBSWY3DPEHPK3PXP" not in str(authenticator.data)
    assert MFAAdapter().decrypt(authenticator.data["secret"]) == "JBSWY3DPEHPK3PXP"
    page = world.staff.get(
        reverse("admin:mfa_authenticator_change", args=[authenticator.pk])
    ).content.decode()
    assert authenticator.data["secret"] not in page


@pytest.mark.django_db
def test_an_organization_with_its_people_takes_no_statement_per_person(world: World) -> None:
    organization = OrganizationFactory()
    page = reverse("admin:orgs_organization_change", args=[organization.pk])
    # Django looks it up once for each process.
    ContentType.objects.get_for_model(Organization)
    counts = []
    # The first page of a process asks for the content types.
    world.staff.get(page)
    for more in (1, 4):
        MembershipFactory.create_batch(more, organization=organization)
        with sent_statements() as statements:
            assert world.staff.get(page).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_no_record_shows_json_as_it_is_stored(world: World) -> None:
    account = BillingAccount.objects.get(organization=world.organization)
    account.address = {"line1": "Ulmer Gasse <1>", "city": "Ulm", "country": ""}
    account.copies_to = ["a@ledger.test", "b@ledger.test"]
    account.save()
    page = world.staff.get(reverse("admin:billing_billingaccount_change", args=[account.pk])).content.decode()
    assert "city: Ulm<br>line1: Ulmer Gasse &lt;1&gt;<" in page
    assert "a@ledger.test<br>b@ledger.test<" in page
    assert "country: " not in page
    assert "&quot;" not in page


def test_json_is_told_line_by_line() -> None:
    assert list(lines({"address": {"city": "Ulm", "zip_code": 89073}, "none": None, "empty": []})) == [
        "address: city: Ulm",
        "address: zip code: 89073",
    ]
    assert list(lines([{"a": True}, {"a": 0}])) == ["a: True", "a: 0"]
    assert list(lines("")) == list(lines(None)) == []


@pytest.mark.django_db
@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_of_no_model_is_a_json_column_a_field(model: type[Model], world: World, rf: Any) -> None:
    page = admin.site._registry[model]
    request = rf.get("/")
    request.user, request.staff = AnonymousUser(), None
    names = {name for name in page.get_fields(request) if isinstance(name, str)}
    assert not names & {one.name for one in model._meta.get_fields() if isinstance(one, JSONField)}
