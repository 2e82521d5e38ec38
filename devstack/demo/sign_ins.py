"""Who can sign in to the demo, as the start prints it."""

import time

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt

from devstack.demo.cast import PASSWORD, SUPPORT
from orgs.models import Membership
from orgs.policy import Role

SHOWN = (
    "admin@acme.test",
    "member@acme.test",
    "billing@globex.test",
    "admin@globex.test",
    "admin@initech.test",
    "admin@hooli.test",
    "auditor@hooli.test",
)


def text() -> str:
    """The sign-ins with their roles, and the second factor of support staff."""
    memberships = (
        Membership.objects.filter(user__email__in=SHOWN)
        .select_related("organization")
        .order_by("joined_at")
        .values_list("user__email", "role", "organization__name")
    )
    roles: dict[str, list[str]] = {email: [] for email in SHOWN}
    for email, role, organization in memberships:
        roles[email].append(f"{Role(role).label} of {organization}")
    lines = [f"  {email:<22} {', '.join(roles[email])}" for email in SHOWN]
    secret = totp_secret()
    return "\n".join(
        [
            f"Sign in with the password {PASSWORD} as",
            *lines,
            f"  {SUPPORT.email:<22} Support staff, at /admin/",
            f"  {'':<22} second factor {secret}, now {code_of(secret)}",
        ]
    )


def totp_secret() -> str:
    """The secret of the support person's authenticator, for one's own authenticator app."""
    authenticator = Authenticator.objects.get(user__email=SUPPORT.email, type=Authenticator.Type.TOTP)
    return str(decrypt(authenticator.data["secret"]))


def code_of(secret: str) -> str:
    """The one-time code of this moment (RFC 6238)."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // app_settings.TOTP_PERIOD)))
