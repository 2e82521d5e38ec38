"""The demo's people: verified addresses, one password, and support staff with a second factor."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import User
from audit.services import Actor
from devstack.demo.cast import ORGANIZATIONS, PASSWORD, SUPPORT, DemoPerson
from orgs.policy import StaffRole
from support.services import set_staff_roles


def everyone() -> dict[str, DemoPerson]:
    """All people of the demo by mail address."""
    people = [SUPPORT]
    for organization in ORGANIZATIONS:
        people += [*organization.admins, *organization.members]
        people += [*organization.billing_managers, *organization.auditors]
    return {person.email: person for person in people}


@transaction.atomic
def ensure_people() -> dict[str, User]:
    """Make who is missing. Returns all people of the demo by mail address."""
    cast = everyone()
    known = set(User.objects.filter(email__in=cast).values_list("email", flat=True))
    missing = [person for email, person in cast.items() if email not in known]
    if missing:
        # One hash for all: a hash for each would be most of the load's time.
        password = make_password(PASSWORD)
        made = User.objects.bulk_create(
            User(email=person.email, name=person.name, password=password) for person in missing
        )
        EmailAddress.objects.bulk_create(
            EmailAddress(user=user, email=user.email, primary=True, verified=True) for user in made
        )
    users = {user.email: user for user in User.objects.filter(email__in=cast)}
    _equip_support(users[SUPPORT.email])
    return users


def _equip_support(user: User) -> None:
    """Both roles, and the second factor that the admin asks for."""
    set_staff_roles(user_id=user.pk, roles=list(StaffRole), actor=Actor.system())
    if not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        TOTP.activate(user, generate_totp_secret())
