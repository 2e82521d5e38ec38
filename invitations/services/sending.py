"""Inviting, sending again, copying the link, revoking.

As everywhere, a verb comes in by ``acting``, which asks the policy again under the lock. Raises Denied,
Refused, or DoesNotExist for an invitation that the actor can't see. ``shown``: the generation of the pending
invitation on the page that the actor decided by; None without a page. PageOutdated is raised if it was sent
again since.
"""

import uuid
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.addresses import clean_address
from accounts.models import User
from audit.models import ActorKind
from audit.services import Actor
from invitations import actions
from invitations.claims import Channel, Claim, link
from invitations.mails import INVITATION_REVOKED_MAIL, INVITATION_SENT_MAIL
from invitations.models import MAIL_KEY, Invitation, InvitationQuerySet, Kind, State
from invitations.services.mail_limits import ensure_few_mails
from orgs.acting import Act, MembersAct, OrganizationPrincipal, PrincipalsAct, acting
from orgs.capacity import ensure_room
from orgs.errors import PageOutdated, Refused, broken_constraint
from orgs.last_days import ensure_not_past, is_past
from orgs.models import Membership, Organization
from orgs.policy import INVITE_PERMISSIONS, Permission, Role, may
from tokens.models import Host

# Of a person, the product beside the portal, or support staff.
InvitersAct = PrincipalsAct[OrganizationPrincipal]

RESEND_PAUSE = timedelta(minutes=1)


class BelongsAlready(Refused):
    """The invited person is in the organization already. ``fact``: the sentence without the way on."""

    def __init__(self, address: str, organization: Organization, theirs: Membership) -> None:
        self.fact = _("%(address)s belongs to %(organization)s already.") % {
            "address": address,
            "organization": organization,
        }
        self.membership = theirs
        super().__init__(f"{self.fact} {_('Change the role instead.')}")


def address_to_invite(text: str) -> str:
    """What somebody typed or sent, as an address. Raises Refused."""
    try:
        return clean_address(text)
    except ValidationError as error:
        raise Refused(error.message) from None


def invite_by_mail(
    *, actor: OrganizationPrincipal, email: str, role: Role, last_day: date | None = None
) -> Invitation:
    """Invite an address. Whether an account has it plays no part, so nobody learns that.

    Pressed twice, the invitation of the first press is the answer to both, and one mail goes out.
    ``last_day``: of a billing manager for a time, in UTC; None: for good.
    """
    ensure_not_past(last_day)
    address = address_to_invite(email)
    try:
        return _invite_by_mail(actor, address, role, last_day)
    except IntegrityError as error:
        if broken_constraint(error) != "invitation_one_pending_per_address":
            raise
        raise Refused(_waiting_already(address)) from None


def _invite_by_mail(
    actor: OrganizationPrincipal, address: str, role: Role, last_day: date | None
) -> Invitation:
    with acting(actor, INVITE_PERMISSIONS[role]) as act:
        return _sent_just_now(act, address, role, last_day) or _new_by_mail(act, address, role, last_day)


def _sent_just_now(act: InvitersAct, address: str, role: Role, last_day: date | None) -> Invitation | None:
    """The invitation of a first press of the same button."""
    pending = Invitation.objects.for_org(act.organization).pending()
    return pending.filter(
        email=address,
        role=role,
        last_day=last_day,
        **_sender(act),
        generation=1,
        sent_at__gt=timezone.now() - RESEND_PAUSE,
    ).first()


def _new_by_mail(act: InvitersAct, address: str, role: Role, last_day: date | None) -> Invitation:
    _ensure_new(act, address)
    ensure_few_mails(act.organization, address, by=_person_in(act))
    ensure_room(act.principal, role)
    invitation = _create(act, kind=Kind.MAIL, role=role, last_day=last_day, email=address)
    invitation.record(actions.SENT, by=act)
    _mail_invitation(act, invitation)
    return invitation


def create_link(*, actor: Membership, role: Role, last_day: date | None = None) -> str:
    """Make a link by which any one person can join in that role.

    Where the edition has no room for another one, a link that waits is answered again: a person who presses
    the button twice on an edition with one billing manager wants what they got the first time.
    """
    ensure_not_past(last_day)
    with acting(actor, INVITE_PERMISSIONS[role]) as act:
        try:
            ensure_room(act.membership, role)
        except Refused:
            alike = _live(act).filter(kind=Kind.LINK, role=role, last_day=last_day)
            waiting = alike.order_by("sent_at").first()
            if waiting is None:
                raise
            ensure_room(act.membership, role, reserved=True)
            return _copied(act, waiting)
        invitation = _create(act, kind=Kind.LINK, role=role, last_day=last_day)
        invitation.record(actions.LINK_CREATED, by=act)
        return _link(invitation)


# Everybody who may invite anybody may invite billing managers, and copy their links: so the next three begin.
# The invitation that they find then asks for the permission of its own role.


def copy_link(*, actor: Membership, invitation_id: uuid.UUID, shown: int | None = None) -> str:
    """The link of a pending invitation. If that was mailed, the invitee proves the address in another way."""
    with acting(actor, Permission.BILLING_MANAGERS_LINK) as act:
        invitation = _lock_visible(act, invitation_id)
        _ensure_pending(invitation)
        _ensure_as_shown(invitation, shown)
        if invitation.is_overdue:
            raise Refused(_("This invitation has expired. Send it again, or revoke it and make a new one."))
        ensure_room(act.membership, Role(invitation.role), reserved=True)
        return _copied(act, invitation)


def resend(*, actor: OrganizationPrincipal, invitation_id: uuid.UUID, shown: int | None = None) -> Invitation:
    """Send the mail again with a new link; older ones die. The person who resends becomes the inviter;
    support staff don't, so it stands on the same right as before.

    In place of a dead one that is asked for anew, and of a link, the address that asked gets a new one.
    """
    with acting(actor, Permission.BILLING_MANAGERS_INVITE) as act:
        invitation = _lock_visible(act, invitation_id)
        if invitation.asked_for and (invitation.state != State.PENDING or invitation.kind == Kind.LINK):
            _ensure_as_shown(invitation, shown)
            ensure_not_past(invitation.last_day)
            return _new_by_mail(act, invitation.asked_for, Role(invitation.role), invitation.last_day)
        _ensure_pending(invitation)
        if invitation.kind != Kind.MAIL:
            raise Refused(_("An invite link isn't sent by mail. Copy it and send it yourself."))
        _ensure_as_shown(invitation, shown)
        if _was_sent_just_now(invitation):
            raise Refused(_("This invitation was sent just now. Wait a minute, then send it again."))
        return _send_again(act, invitation)


def resend_for_host(*, actor: Host, email: str) -> Invitation:
    """Send the pending invitation of an address again, as the product asks; asked twice, it is sent once."""
    address = address_to_invite(email)
    with acting(actor, Permission.MEMBERS_INVITE) as act:
        pending = Invitation.objects.for_org(act.organization).pending().filter(kind=Kind.MAIL)
        invitation = pending.select_for_update().get(email=address)
        invitation.organization = act.organization
        act.ensure(INVITE_PERMISSIONS[Role(invitation.role)])
        return invitation if _was_sent_just_now(invitation) else _send_again(act, invitation)


def _was_sent_just_now(invitation: Invitation) -> bool:
    return timezone.now() - invitation.sent_at < RESEND_PAUSE


def _send_again(act: InvitersAct, invitation: Invitation) -> Invitation:
    if is_past(invitation.last_day):
        raise Refused(_("The last day of this invitation has passed. Revoke it and make a new one."))
    ensure_few_mails(act.organization, invitation.email, by=_person_in(act))
    ensure_room(act.principal, Role(invitation.role), reserved=not invitation.is_overdue)
    invitation.generation += 1
    invitation.sent_at = timezone.now()
    if act.actor.kind is not ActorKind.STAFF:
        person = _person_in(act)
        invitation.invited_by, invitation.of_no_person = person, person is None
        invitation.invited_by_name = act.actor.name
    invitation.last_error, invitation.last_error_by, invitation.last_error_at = "", "", None
    invitation.save()
    invitation.record(actions.RESENT, by=act)
    _mail_invitation(act, invitation)
    return invitation


def revoke(*, actor: OrganizationPrincipal, invitation_id: uuid.UUID, shown: int | None = None) -> Invitation:
    """Withdraw a pending invitation. One that was revoked already stays so."""
    with acting(actor, Permission.BILLING_MANAGERS_INVITE) as act:
        invitation = _lock_visible(act, invitation_id)
        if invitation.state != State.REVOKED:
            _ensure_pending(invitation)
            _ensure_as_shown(invitation, shown)
            withdraw(invitation, by=act)
        return invitation


def withdraw(invitation: Invitation, *, by: Act) -> None:
    """Revoke a pending invitation, and tell the invited address."""
    invitation.end(State.REVOKED, by=by)
    if invitation.email:
        by.mail(
            INVITATION_REVOKED_MAIL,
            to=invitation.email,
            dedupe_key=f"invitation_revoked:{invitation.pk}",
            role=invitation.role,
        )


def mail_key(invitation: Invitation) -> str:
    """The outbox's dedupe key of the mail that carries the invitation's present link."""
    return MAIL_KEY % (invitation.pk, invitation.generation)


def _create(
    act: InvitersAct, *, kind: Kind, role: Role, last_day: date | None, email: str = ""
) -> Invitation:
    return Invitation.objects.create(
        organization=act.organization,
        kind=kind,
        role=role,
        last_day=last_day,
        email=email,
        invited_by_name=act.actor.name,
        **_sender(act),
    )


def _sender(act: InvitersAct) -> dict[str, Any]:
    """Whose right an invitation stands on, as its row says it."""
    person = _person_in(act)
    return {"invited_by": person, "of_no_person": person is None}


def _person_in(act: InvitersAct) -> User | None:
    return act.principal.user if isinstance(act.principal, Membership) else None


def _lock_visible(act: InvitersAct, invitation_id: uuid.UUID) -> Invitation:
    """An invitation that the actor sees, and to whose role they may invite."""
    invitation = Invitation.objects.visible_to(act.principal).select_for_update().get(pk=invitation_id)
    invitation.organization = act.organization
    act.ensure(INVITE_PERMISSIONS[Role(invitation.role)])
    return invitation


def _live(act: MembersAct) -> InvitationQuerySet:
    return Invitation.objects.live(act.organization) & Invitation.objects.visible_to(act.membership)


def _ensure_new(act: InvitersAct, address: str) -> None:
    """Raise Refused for an address that is in, or waits, already.

    An inviter who can't see the members must not learn who is one. So such an invitation goes out; nobody
    can accept it.
    """
    organization = act.organization
    person = _person_in(act)
    if person is not None and address == person.email:
        raise Refused(_("This is your own address. Enter that of the person to invite."))
    if person is None or may(act.principal, Permission.MEMBERS_LIST):
        theirs = Membership.objects.for_org(organization).filter(user__email=address).first()
        if theirs is not None:
            raise BelongsAlready(address, organization, theirs)
    for overdue in Invitation.objects.overdue(organization).filter(email=address).select_for_update():
        # No mail tells of it: the invitation could not be accepted any more.
        overdue.end(State.EXPIRED, by=Act(organization, Actor.system()))
    if Invitation.objects.for_org(organization).pending().filter(email=address).exists():
        raise Refused(_waiting_already(address))


def _waiting_already(address: str) -> str:
    return _("An invitation for %(address)s is waiting already. Send that one again, or revoke it first.") % {
        "address": address
    }


def _ensure_pending(invitation: Invitation) -> None:
    if invitation.state != State.PENDING:
        raise Refused(
            _("This invitation is no longer pending. Its state now: %(state)s.")
            % {"state": invitation.get_state_display()}
        )


def _ensure_as_shown(invitation: Invitation, shown: int | None) -> None:
    if shown is not None and invitation.generation != shown:
        raise PageOutdated(
            _(
                "This invitation was sent again since you opened this. "
                "Nothing was done. Check it, then try again."
            )
        )


def _mail_invitation(act: Act, invitation: Invitation) -> None:
    """With this, what the address asked for is sent."""
    asked = Invitation.objects.for_org(act.organization).filter(asked_for=invitation.email)
    asked.update(asked_for="")
    act.mail(
        INVITATION_SENT_MAIL,
        to=invitation.email,
        dedupe_key=mail_key(invitation),
        invitation_id=str(invitation.pk),
        generation=invitation.generation,
    )


def _copied(act: Act, invitation: Invitation) -> str:
    invitation.record(actions.LINK_COPIED, by=act)
    return _link(invitation)


def _link(invitation: Invitation) -> str:
    return link(Claim(invitation.pk, invitation.generation, Channel.LINK))
