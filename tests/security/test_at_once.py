"""Two requests at the same moment, where each finds free what the database gives only once."""

import re
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from invitations.models import Invitation
from orgs.models import Membership, Organization
from outbox.models import OutgoingEmail
from tests.factories import MembershipFactory, UserFactory
from tests.races import ROUNDS, at_once
from tests.world import signed_in as just_signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(user: User) -> Client:
    """A client whose person has just given the password, so that no page asks for it again."""
    client = just_signed_in(user)
    client.post(reverse("account_reauthenticate"), {"password": "correct horse battery"})
    return client


def answers(*calls: Callable[[], HttpResponse]) -> list[HttpResponse]:
    """The answers to requests sent at once; none of them may be a fault."""
    outcomes = at_once(*calls)
    for outcome in outcomes:
        assert isinstance(outcome, HttpResponse), outcome
        assert outcome.status_code < 500
    return outcomes  # type: ignore[return-value]


def without_tokens(page: HttpResponse) -> str:
    return re.sub(r"[A-Za-z0-9]{64}", "", page.content.decode())


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_one_address_signed_up_at_once_is_one_account(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine, who waits a second for the count of sign-ups is told to try again.
    monkeypatch.setattr(ratelimit, "CACHE_LOCK_WAIT_TIMEOUT", 60)
    for number in range(rounds):
        cache.clear()
        email = f"lee{number}@ledger.test"
        data = {"email": email, "name": "Lee", "password1": "a sound password"}
        people = [Client(raise_request_exception=False) for _person in range(3)]
        told = answers(
            *(lambda person=person: person.post(reverse("account_signup"), data) for person in people)
        )
        assert User.objects.filter(email=email).count() == 1
        assert EmailAddress.objects.filter(email=email).count() == 1
        # Nobody learns that the address was taken: the later ones read what a known address is answered.
        assert {(answer.status_code, answer["Location"]) for answer in told} == {
            (302, reverse("account_email_verification_sent"))
        }
        known = Client()
        known.post(reverse("account_signup"), data)
        pages = [without_tokens(person.get(told[0]["Location"])) for person in (known, *people)]
        assert pages[1:].count(pages[0]) == 2
        # The one mail has the link that confirms the account.
        assert OutgoingEmail.objects.get(to=email).kind == "account_email_confirmation"


def test_one_address_proved_by_two_accounts_at_once_is_ones() -> None:
    for number in range(3):
        wanted = f"shared{number}@ledger.test"
        people = [MembershipFactory().user for _person in range(2)]
        pending = [EmailAddress.objects.create(user=user, email=wanted) for user in people]
        urls = [
            reverse("account_confirm_email", args=[EmailConfirmationHMAC(address).key]) for address in pending
        ]
        clients = [signed_in(user) for user in people]
        answers(*(lambda c=client, url=url: c.post(url) for client, url in zip(clients, urls, strict=True)))
        assert EmailAddress.objects.filter(email=wanted, verified=True).count() == 1
        assert User.objects.filter(email=wanted).count() == 1


@pytest.mark.slow
def test_one_new_address_given_twice_at_once_is_kept_once(admin: Membership) -> None:
    for number in range(3):
        cache.clear()
        clients = [signed_in(admin.user) for _tab in range(2)]
        data = {"email": f"new{number}@ledger.test", "action_add": ""}
        told = answers(*(lambda c=client: c.post(reverse("account_email"), data) for client in clients))
        assert {answer.status_code for answer in told} <= {200, 302, 409}
        assert EmailAddress.objects.filter(user=admin.user, verified=False).count() == 1


def activation(client: Client) -> dict[str, str]:
    """What the form sends that activates the second factor which this session was shown."""
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    counter = next(yield_hotp_counters_from_time())
    return {"code": format_hotp_value(hotp_value(secret, counter))}


@pytest.mark.slow
def test_one_second_factor_activated_twice_at_once_is_there_once() -> None:
    for _round in range(3):
        cache.clear()
        user = MembershipFactory().user
        clients = [signed_in(user) for _tab in range(2)]
        data = [activation(client) for client in clients]
        told = answers(
            *(
                lambda c=client, d=codes: c.post(reverse("mfa_activate_totp"), d)
                for client, codes in zip(clients, data, strict=True)
            )
        )
        assert 302 in {answer.status_code for answer in told}
        assert Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).count() == 1
        for answer in told:
            assert answer.status_code in {200, 302, 409}
            if answer.status_code == 409:
                assert "done a moment ago" in answer.content.decode()


@pytest.mark.slow
def test_recovery_codes_made_twice_at_once_are_one_set() -> None:
    for _round in range(3):
        cache.clear()
        user = MembershipFactory().user
        TOTP.activate(user, "JBSWY3DPEHPK3PXP")
        clients = [signed_in(user) for _tab in range(2)]
        answers(*(lambda c=client: c.post(reverse("mfa_generate_recovery_codes")) for client in clients))
        assert Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).count() == 1


def test_organizations_of_one_name_founded_at_once_have_addresses_of_their_own() -> None:
    clients = [signed_in(UserFactory()) for _person in range(3)]
    answers(*(lambda c=client: c.post(reverse("new_organization"), {"name": "Acme"}) for client in clients))
    assert Organization.objects.filter(name="Acme").count() == 3


def test_one_address_invited_twice_at_once_is_invited_once(admin: Membership) -> None:
    clients = [signed_in(admin.user) for _tab in range(2)]
    url = reverse("managers_invite", args=[admin.organization.slug])
    told = answers(*(lambda c=client: c.post(url, {"email": "lee@ledger.test"}) for client in clients))
    assert [answer.status_code for answer in told] == [302, 302]
    assert Invitation.objects.count() == 1
    assert OutgoingEmail.objects.filter(kind="invitation_sent").count() == 1
