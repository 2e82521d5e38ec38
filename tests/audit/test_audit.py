"""The audit log is complete sentences, in the change's own transaction, and can't be altered."""

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import ActorKind, AuditEvent
from audit.registry import all_actions
from audit.services import Actor, record
from orgs.actions import MEMBERSHIP_LEFT, ROLE_CHANGED
from orgs.models import Organization
from orgs.policy import Role
from tests.factories import UserFactory
from work.transactions import OutsideTransactionError


def recorded(organization: Organization) -> AuditEvent:
    return record(
        ROLE_CHANGED,
        actor=Actor.person(UserFactory(name="Ada")),
        organization=organization,
        target=(1, "Mira"),
        old=Role.MEMBER.value,
        new=Role.ADMIN.value,
    )


def test_an_event_reads_as_a_sentence(organization: Organization) -> None:
    assert str(recorded(organization)) == "Ada changed the role of Mira from Member to Admin"


def test_an_event_without_its_data_is_refused_when_it_is_written(organization: Organization) -> None:
    for data in (
        {},
        {"old": "member"},
        {"old": "member", "new": "pilot"},
        {"old": "", "new": "", "name": ""},
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - what is missing, or no code
            record(ROLE_CHANGED, actor=Actor.system(), organization=organization, **data)
    assert not AuditEvent.objects.exists()


def test_an_old_event_breaks_no_page(organization: Organization) -> None:
    """An action, a fact of its sentence or a role that a later version doesn't know."""
    facts = {"old": "member", "new": "admin"}
    for action, data in (
        ("membership.flew", facts),
        ("membership.role_changed", {"old": "member"}),
        ("membership.role_changed", {**facts, "new": "pilot"}),
    ):
        event = AuditEvent(action=action, actor_name="Ada", target_name="Mira", data=data)
        assert str(event) == f"Ada did something that this version can't describe: {action}"
        assert event.target == "Mira"


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(OutsideTransactionError):
        record(MEMBERSHIP_LEFT, actor=Actor.system(), organization=None, role=Role.ADMIN.value)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_auditevent SET actor_name = 'x'", "DELETE FROM audit_auditevent"]
)
def test_the_database_itself_refuses_to_alter_an_event(organization: Organization, statement: str) -> None:
    recorded(organization)
    with (
        pytest.raises(DatabaseError, match="append_only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEvent.objects.get().actor_name == "Ada"


def test_an_event_outlives_its_organization(organization: Organization) -> None:
    event = recorded(organization)
    name = organization.name
    organization.delete()
    event.refresh_from_db()
    assert event.organization_name == name


@pytest.mark.django_db
def test_people_stripe_and_the_portal_are_told_apart() -> None:
    kinds = [actor.kind for actor in (Actor.person(UserFactory()), Actor.stripe(), Actor.system())]
    assert kinds == [ActorKind.PERSON, ActorKind.STRIPE, ActorKind.SYSTEM]


def test_every_action_names_its_subject_and_what_was_done() -> None:
    for action in all_actions():
        subject, _, verb = action.code.partition(".")
        assert subject
        assert verb
        assert str(action.label)[0].isupper()
        assert str(action.sentence)[0].islower()
