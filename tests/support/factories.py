"""Support staff for tests."""

import factory
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from billing.models import StripeEvent
from orgs.policy import StaffRole
from outbox.models import OutgoingEmail
from support.access import STAFF_SESSION
from support.models import SESSION_LIFE, StaffSession
from tests.factories import UserFactory


class StaffSessionFactory(factory.django.DjangoModelFactory[StaffSession]):
    """An open one, of somebody with the role support."""

    class Meta:
        model = StaffSession

    user = factory.LazyFunction(lambda: staff_member(StaffRole.SUPPORT))
    staff_mail = factory.SelfAttribute("user.email")
    ticket = "48213"
    reason = "The customer asked by phone"
    opened_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyAttribute(lambda session: session.opened_at + SESSION_LIFE)


class StripeEventFactory(factory.django.DjangoModelFactory[StripeEvent]):
    """An event that was worked off; of a customer, if it is given one."""

    class Meta:
        model = StripeEvent

    event_id = factory.Sequence(lambda n: f"evt_test{n}")
    type = "invoice.paid"
    livemode = False
    payload = factory.LazyFunction(dict)
    state = "done"


class MailFactory(factory.django.DjangoModelFactory[OutgoingEmail]):
    """A mail that could not be delivered."""

    class Meta:
        model = OutgoingEmail

    kind = "invoice_issued"
    to = "billing@example.test"
    dedupe_key = factory.Sequence(lambda n: f"mail{n}")
    state = "failed"
    error = "SMTPDataError: (550, b'No such mailbox')"
    attempts = 1


def staff_member(*roles: StaffRole) -> User:
    """With a second factor."""
    user = UserFactory(is_staff=True)
    user.groups.set([Group.objects.get_or_create(name=role.value)[0] for role in roles])
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    return user


def with_session(client: Client, user: User) -> Client:
    """The same browser, in which the staff member has opened a session."""
    session = client.session
    session[STAFF_SESSION] = str(StaffSessionFactory(user=user).pk)
    session.save()
    return client
