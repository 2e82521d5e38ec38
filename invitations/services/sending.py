"""Inviting, sending again, copying the link, revoking.

As everywhere, a verb locks the organization first and asks the policy again under the lock. Raises Denied,
Refused, or DoesNotExist for an invitation that the actor can't see. ``shown``: the generation of the pending
invitation on the page that the actor decided by; None without a page. PageOutdated is raised if it was sent
again since.
"""

import uuid
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.addresses import clean_address
from accounts.models import display_name
from audit.services import Actor, record
from invitations.mails import INVITATION_REVOKED_MAIL, INVITATION_SENT_MAIL
from invitations.models import Invitation, InvitationQuerySet, Kind, State
from invitations.tokens import Channel, Claim, link
from orgs.capacity import ensure_room
from orgs.errors import PageOutdated, Refused, broken_constraint
from orgs.locking import lock_organization_of
from orgs.models import Membership, Organization
from orgs.policy import INVITE_PERMISSIONS, Denied, Permission, Role, ensure, may, may_invite
from outbox.models import OutgoingEmail
from outbox.services import enqueue

RESEND_PAUSE = timedelta(minutes=1)
# As GitHub's limit for invitations to an organization; here for one person over all organizations as well.
MAILS_PER_DAY = 50
MAILS_PER_DAY_AND_ADDRESS = 5


class BelongsAlready(Refused):
    """The invited person is in the organization, in ``role``. ``fact``: the sentence without the way on."""

    def __init__(self, address: str, organization: Organization, role: Role) -> None:
        self.fact = _("%(address)s belongs to %(organization)s already.") % {
            "address": address,
            "organization": organization,
        }
        self.role = role
        super().__init__(f"{self.fact} {_('Change the role instead.')}")


def invite_by_mail(*, actor: Membership, email: str, role: Role) -> Invitation:
    """Invite an address. Whether an account has it plays no part, so nobody learns that."""
    try:
        address = clean_address(email)
    except ValidationError as error:
        raise Refused(error.message) from None
    try:
        return _invite_by_mail(actor, address, role)
    except IntegrityError as error:
        if broken_constraint(error) != "invitation_one_pending_per_address":
            raise
        raise Refused(_waiting_already(address)) from None


@transaction.atomic
def _invite_by_mail(actor: Membership, address: str, role: Role) -> Invitation:
    organization, actor = lock_organization_of(actor)
    _ensure_may_invite(actor, role)
    _ensure_new(organization, actor, address)
    _ensure_few_mails(organization, actor, address)
    ensure_room(organization, role)
    invitation = Invitation.objects.create(
        organization=organization,
        kind=Kind.MAIL,
        role=role,
        email=address,
        invited_by=actor.user,
        invited_by_name=display_name(actor.user),
    )
    _record("invitation.sent", actor, invitation)
    _enqueue_invitation(invitation)
    return invitation


@transaction.atomic
def create_link(*, actor: Membership, role: Role) -> str:
    """Make a link that lets one person, whoever it is, join in that role.

    Where the edition has no room for another one, a link that waits is answered again: whoever presses
    the button twice on an edition with one billing manager wants what he got the first time.
    """
    organization, actor = lock_organization_of(actor)
    _ensure_may_invite(actor, role)
    try:
        ensure_room(organization, role)
    except Refused:
        waiting = _live(organization, actor).filter(kind=Kind.LINK, role=role).order_by("sent_at").first()
        if waiting is None:
            raise
        return _copied(actor, waiting)
    invitation = Invitation.objects.create(
        organization=organization,
        kind=Kind.LINK,
        role=role,
        invited_by=actor.user,
        invited_by_name=display_name(actor.user),
    )
    _record("invitation.link_created", actor, invitation)
    return _link(invitation)


@transaction.atomic
def copy_link(*, actor: Membership, invitation_id: uuid.UUID, shown: int | None = None) -> str:
    """The link of a pending invitation. If that was mailed, the invitee proves the address in another way."""
    organization, actor = lock_organization_of(actor)
    invitation = _lock_visible(organization, actor, invitation_id)
    if Role(invitation.role) is Role.BILLING_MANAGER:
        ensure(actor, Permission.BILLING_MANAGERS_LINK)
    _ensure_may_invite(actor, Role(invitation.role))
    _ensure_pending(invitation)
    _ensure_as_shown(invitation, shown)
    if invitation.is_overdue:
        raise Refused(_("This invitation has expired. Send it again, or revoke it and make a new one."))
    return _copied(actor, invitation)


@transaction.atomic
def resend(*, actor: Membership, invitation_id: uuid.UUID, shown: int | None = None) -> Invitation:
    """Send the mail again with a new link; the older links die. Who resends is the inviter from now on."""
    organization, actor = lock_organization_of(actor)
    invitation = _lock_visible(organization, actor, invitation_id)
    role = Role(invitation.role)
    _ensure_may_invite(actor, role)
    _ensure_pending(invitation)
    if invitation.kind != Kind.MAIL:
        raise Refused(_("An invite link isn't sent by mail. Copy it and send it yourself."))
    _ensure_as_shown(invitation, shown)
    if timezone.now() - invitation.sent_at < RESEND_PAUSE:
        raise Refused(_("This invitation was sent just now. Wait a minute, then send it again."))
    _ensure_few_mails(organization, actor, invitation.email)
    if invitation.is_overdue:
        ensure_room(organization, role)
    invitation.generation += 1
    invitation.sent_at = timezone.now()
    invitation.invited_by, invitation.invited_by_name = actor.user, display_name(actor.user)
    invitation.last_error, invitation.last_error_by, invitation.last_error_at = "", "", None
    invitation.save()
    _record("invitation.resent", actor, invitation)
    _enqueue_invitation(invitation)
    return invitation


@transaction.atomic
def revoke(*, actor: Membership, invitation_id: uuid.UUID, shown: int | None = None) -> Invitation:
    """Withdraw a pending invitation. One that was revoked already stays so."""
    organization, actor = lock_organization_of(actor)
    invitation = _lock_visible(organization, actor, invitation_id)
    _ensure_may_invite(actor, Role(invitation.role))
    if invitation.state != State.REVOKED:
        _ensure_pending(invitation)
        _ensure_as_shown(invitation, shown)
        end_by_revocation(invitation, by=Actor.person(actor.user), named=display_name(actor.user))
    return invitation


def end_by_revocation(invitation: Invitation, *, by: Actor, named: str = "") -> None:
    """Revoke a pending invitation of a locked organization, and tell the invited address.

    ``named``: who did it, for the mail; empty where the portal did.
    """
    invitation.state = State.REVOKED
    invitation.decided_at = timezone.now()
    invitation.save(update_fields=["state", "decided_at"])
    record(
        action="invitation.revoked",
        actor=by,
        organization=invitation.organization,
        target=(invitation.pk, invitation.addressee),
        role=str(Role(invitation.role).label),
    )
    if invitation.email:
        enqueue(
            INVITATION_REVOKED_MAIL,
            to=invitation.email,
            organization_id=invitation.organization_id,
            dedupe_key=f"invitation_revoked:{invitation.pk}",
            organization=invitation.organization.name,
            actor=named,
            role=invitation.role,
        )


def mail_key(invitation: Invitation) -> str:
    """The outbox's dedupe key of the mail that carries the invitation's present link."""
    return f"invitation_sent:{invitation.pk}:{invitation.generation}"


def _lock_visible(organization: Organization, actor: Membership, invitation_id: uuid.UUID) -> Invitation:
    invitation = Invitation.objects.visible_to(actor).select_for_update().get(pk=invitation_id)
    invitation.organization = organization
    return invitation


def _live(organization: Organization, actor: Membership) -> InvitationQuerySet:
    return Invitation.objects.live(organization) & Invitation.objects.visible_to(actor)


def _ensure_may_invite(actor: Membership, role: Role) -> None:
    if not may_invite(actor, role):
        raise Denied(INVITE_PERMISSIONS[role])


def _ensure_new(organization: Organization, actor: Membership, address: str) -> None:
    """Raise Refused for an address that is in, or waits, already.

    Who can't see the members isn't told who is one: that invitation goes out and can't be accepted.
    """
    if address == actor.user.email:
        raise Refused(_("This is your own address. Enter that of the person to invite."))
    if may(actor, Permission.MEMBERS_LIST):
        theirs = Membership.objects.for_org(organization).filter(user__email=address).first()
        if theirs is not None:
            raise BelongsAlready(address, organization, Role(theirs.role))
    for overdue in Invitation.objects.overdue(organization).filter(email=address).select_for_update():
        _expire(overdue)
    if Invitation.objects.for_org(organization).pending().filter(email=address).exists():
        raise Refused(_waiting_already(address))


def _expire(invitation: Invitation) -> None:
    """Nobody is told by mail: the invitation was as good as gone before."""
    invitation.state = State.EXPIRED
    invitation.decided_at = timezone.now()
    invitation.save(update_fields=["state", "decided_at"])
    record(
        action="invitation.expired",
        actor=Actor.system(),
        organization=invitation.organization,
        target=(invitation.pk, invitation.addressee),
    )


def _waiting_already(address: str) -> str:
    return _("An invitation for %(address)s is waiting already. Send that one again, or revoke it first.") % {
        "address": address
    }


def _ensure_few_mails(organization: Organization, actor: Membership, address: str) -> None:
    """A stolen session, or an account that founds organizations, must not make the portal a mail cannon."""
    day = timezone.now() - timedelta(days=1)
    mails = OutgoingEmail.objects.filter(
        organization_id=organization.pk, kind=INVITATION_SENT_MAIL.code, created_at__gt=day
    )
    by_actor = Invitation.objects.filter(invited_by=actor.user, kind=Kind.MAIL, sent_at__gt=day)
    if max(mails.count(), by_actor.count()) >= MAILS_PER_DAY:
        raise Refused(
            _("%(limit)s invitations were mailed today, which is the limit. Copy an invite link, or wait.")
            % {"limit": MAILS_PER_DAY}
        )
    if mails.filter(to=address).count() >= MAILS_PER_DAY_AND_ADDRESS:
        raise Refused(
            _("%(address)s got %(limit)s invitations today, which is the limit. Try again tomorrow.")
            % {"address": address, "limit": MAILS_PER_DAY_AND_ADDRESS}
        )


def _ensure_pending(invitation: Invitation) -> None:
    if invitation.state != State.PENDING:
        raise Refused(
            _("This invitation is no longer pending. Its state now: %(state)s.")
            % {"state": invitation.get_state_display()}
        )


def _ensure_as_shown(invitation: Invitation, shown: int | None) -> None:
    if shown is not None and invitation.generation != shown:
        raise PageOutdated(
            _("This invitation was sent again since you opened this. Nothing was done: look once more.")
        )


def _enqueue_invitation(invitation: Invitation) -> None:
    enqueue(
        INVITATION_SENT_MAIL,
        to=invitation.email,
        organization_id=invitation.organization_id,
        dedupe_key=mail_key(invitation),
        invitation_id=str(invitation.pk),
        generation=invitation.generation,
    )


def _copied(actor: Membership, invitation: Invitation) -> str:
    _record("invitation.link_copied", actor, invitation)
    return _link(invitation)


def _link(invitation: Invitation) -> str:
    return link(Claim(invitation.pk, invitation.generation, Channel.LINK))


def _record(action: str, actor: Membership, invitation: Invitation) -> None:
    record(
        action=action,
        actor=Actor.person(actor.user),
        organization=actor.organization,
        target=(invitation.pk, invitation.addressee),
        role=str(Role(invitation.role).label),
    )
