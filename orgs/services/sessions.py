"""Signing a person out everywhere, for them."""

import uuid

from accounts.models import display_name
from accounts.sessions import end_all_sessions
from orgs import actions
from orgs.acting import OrganizationPrincipal, acting
from orgs.mails import SIGNED_OUT_MAIL
from orgs.models import Membership
from orgs.policy import Permission
from orgs.services.memberships import locked_membership


def sign_out(*, actor: OrganizationPrincipal, membership_id: uuid.UUID) -> Membership:
    """End all sessions of a person of the organization, whatever else they belong to.

    What programs do by their access tokens goes on: see ``tokens`` and ``programs``.
    """
    with acting(actor, Permission.SESSIONS_END) as act:
        target = locked_membership(act.organization, membership_id)
        end_all_sessions(target.user)
        event = act.record(actions.SESSIONS_ENDED, target=(target.user_id, display_name(target.user)))
        act.mail(SIGNED_OUT_MAIL, to=target.user.email, dedupe_key=f"signed_out:{event.pk}")
        return target
