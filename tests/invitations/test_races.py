"""People who answer at once, in real transactions. Each of these fails when the locks are taken out."""

from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from invitations import services
from invitations.models import Invitation, Kind, State
from invitations.refusals import AcceptRefused
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Role
from orgs.services import Change, change_settings
from orgs.terms import follow_subscription
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.invitations.claims import by_link, by_mail
from tests.invitations.factories import InvitationFactory
from tests.races import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_people_on_one_link_one_joins(rounds: int) -> None:
    for _round in range(rounds):
        invitation = InvitationFactory(kind=Kind.LINK)
        people = [UserFactory() for _ in range(2)]
        outcomes = at_once(
            *(lambda user=user: services.accept(user=user, claim=by_link(invitation)) for user in people)
        )
        assert Membership.objects.filter(user__in=people).count() == 1
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AcceptRefused", "Invitation"]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_accepts_for_the_only_place_one_joins(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory(edition_code="team-growth")
        invitations = [InvitationFactory(organization=organization) for _ in range(2)]
        outcomes = at_once(
            *(
                partial(services.accept, user=UserFactory(email=row.email), claim=by_mail(row))
                for row in invitations
            )
        )
        assert Membership.objects.for_org(organization).billing_managers().count() == 1
        assert sum(isinstance(outcome, AcceptRefused) for outcome in outcomes) == 1


@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_invitations_for_the_only_place_one_is_sent(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory(edition_code="team-growth")
        admin = MembershipFactory(organization=organization, role=Role.ADMIN)
        outcomes = at_once(
            *(
                lambda name=name: services.invite_by_mail(
                    actor=admin, email=f"{name}@ledger.test", role=Role.BILLING_MANAGER
                )
                for name in ("lee", "kim")
            )
        )
        assert Invitation.objects.for_org(organization).count() == 1
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 1


@pytest.mark.parametrize("rounds", ROUNDS)
def test_an_invitation_is_either_revoked_or_accepted(rounds: int) -> None:
    for _round in range(rounds):
        invitation = InvitationFactory(kind=Kind.LINK)
        admin = Membership.objects.get(user=invitation.invited_by)
        user = UserFactory()
        outcomes = at_once(
            lambda: services.accept(user=user, claim=by_link(invitation)),
            lambda: services.revoke(actor=admin, invitation_id=invitation.pk),
        )
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 1
        invitation.refresh_from_db()
        joined = Membership.objects.filter(user=user).exists()
        assert invitation.state == (State.ACCEPTED if joined else State.REVOKED)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_one_person_who_presses_twice_joins_once_and_sees_no_error(rounds: int) -> None:
    for _round in range(rounds):
        invitation = InvitationFactory(kind=Kind.LINK)
        user = UserFactory()
        outcomes = at_once(*[lambda: services.accept(user=user, claim=by_link(invitation))] * 2)
        assert Membership.objects.filter(user=user).count() == 1
        assert all(isinstance(outcome, Invitation) for outcome in outcomes)


@transaction.atomic
def follow(organization: Organization, edition_code: str) -> None:
    """What the billing mirror does: lock, then give the organization its subscription's terms."""
    locked = Organization.objects.locked(organization.pk)
    follow_subscription(locked, edition_code=edition_code, seats=None)


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_an_acceptance_while_the_edition_changes_leaves_no_promise_without_place(rounds: int) -> None:
    """Whichever comes first: there is one place, a person in it or one invitation for it."""
    for _round in range(rounds):
        organization = OrganizationFactory(edition_code="enterprise-growth")
        first, last = (InvitationFactory(organization=organization, kind=Kind.LINK) for _ in range(2))
        outcomes = at_once(
            partial(services.accept, user=UserFactory(), claim=by_link(last)),
            partial(follow, organization, "team-growth"),
        )
        managers = Membership.objects.for_org(organization).billing_managers().count()
        first.refresh_from_db()
        last.refresh_from_db()
        if isinstance(outcomes[0], AcceptRefused):
            assert (managers, first.state, last.state) == (0, State.PENDING, State.REVOKED)
        else:
            assert (managers, first.state, last.state) == (1, State.REVOKED, State.ACCEPTED)
        assert outcomes[1] is None


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_an_invitation_sent_while_the_edition_changes_has_a_place_or_ends(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory(edition_code="enterprise-growth")
        admin = MembershipFactory(organization=organization, role=Role.ADMIN)
        MembershipFactory(organization=organization, role=Role.BILLING_MANAGER)
        outcomes = at_once(
            partial(services.invite_by_mail, actor=admin, email="lee@ledger.test", role=Role.BILLING_MANAGER),
            partial(follow, organization, "team-growth"),
        )
        assert not Invitation.objects.for_org(organization).pending().exists()
        assert isinstance(outcomes[0], Invitation | Refused)
        assert outcomes[1] is None


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_no_delegated_invitation_outlives_the_delegation(rounds: int) -> None:
    for _round in range(rounds):
        organization = OrganizationFactory(managers_manage_managers=True)
        admin, manager = (
            MembershipFactory(organization=organization, role=role)
            for role in (Role.ADMIN, Role.BILLING_MANAGER)
        )
        off = {"managers_manage_managers": Change(seen=True, wanted=False)}
        at_once(
            partial(change_settings, actor=admin, changes=off),
            partial(
                services.invite_by_mail, actor=manager, email="lee@ledger.test", role=Role.BILLING_MANAGER
            ),
        )
        assert not Organization.objects.get(pk=organization.pk).managers_manage_managers
        assert not Invitation.objects.for_org(organization).pending().exists()


@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_who_ask_for_a_new_invitation_at_once_one_sends_the_mail(rounds: int) -> None:
    for _round in range(rounds):
        invitation = InvitationFactory(state=State.REVOKED, decided_at=timezone.now())
        at_once(*[partial(services.ask_for_new, claim=by_mail(invitation))] * 2)
        asked = OutgoingEmail.objects.filter(kind="invitation_asked")
        assert asked.filter(organization_id=invitation.organization_id).count() == 1
