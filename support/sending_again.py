"""Sending a mail again, to the same address or to another person: only what they could have got anyway."""

import uuid
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import display_name
from billing.mails import INVOICE_ISSUED_MAIL
from billing.models import BillingAccount
from invitations.mails import INVITATION_SENT_MAIL
from orgs.acting import PrincipalsAct, acting
from orgs.errors import Refused
from orgs.models import Membership, MembershipQuerySet, Organization
from orgs.policy import Permission, granting_roles
from outbox.models import OutgoingEmail, State
from outbox.registry import MailKind, UnknownKindError, kind_of
from outbox.services import enqueue_again
from support.actions import MAIL_READDRESSED, MAIL_SENT_AGAIN
from support.principals import StaffInOrganization

# A mail tells what was so when it was first written.
NOT_AFTER = timedelta(days=7)
BILLING = Permission.BILLING_VIEW


def send_again(*, actor: StaffInOrganization, mail_id: uuid.UUID) -> OutgoingEmail:
    """Once, to the address that it was for, if the person who has it may get it still. Raises Refused."""
    with acting(actor, Permission.MAILS_SEND_AGAIN) as act:
        mail, kind = _mail_to_send(act, mail_id)
        if not _may_get(act.organization, kind, mail.to):
            raise Refused(
                _("%(address)s may not get this any more: nobody with the right to it has this address.")
                % {"address": mail.to}
            )
        act.record(MAIL_SENT_AGAIN, target=(mail.pk, mail.to))
        return _enqueued(mail, to=mail.to)


def send_to_another(
    *, actor: StaffInOrganization, mail_id: uuid.UUID, membership_id: uuid.UUID
) -> OutgoingEmail:
    """Once for each person, of a mail about billing, to somebody who may see billing. Raises Refused."""
    with acting(actor, Permission.MAILS_SEND_AGAIN) as act:
        mail, kind = _mail_to_send(act, mail_id)
        if kind.permission != BILLING:
            raise Refused(_("Only mails about billing can go to another person."))
        person = others_for(act.organization, mail).filter(pk=membership_id).first()
        if person is None:
            raise Refused(_("Choose another person of the organization who may see billing."))
        act.record(MAIL_READDRESSED, target=(person.user_id, display_name(person.user)), old=mail.to)
        # It was not their own act that the mail tells of.
        changed = {"own": False} if "own" in mail.params else {}
        return _enqueued(mail, to=person.user.email, **changed)


def others_for(organization: Organization, mail: OutgoingEmail) -> MembershipQuerySet:
    """Who else may get a mail about billing."""
    return _readers(organization, BILLING).exclude(user__email__iexact=mail.to).order_by("joined_at", "id")


def _mail_to_send(
    act: PrincipalsAct[StaffInOrganization], mail_id: uuid.UUID
) -> tuple[OutgoingEmail, MailKind]:
    mail = OutgoingEmail.objects.get(pk=mail_id, organization_id=act.organization.pk)
    act.principal.refuse_own_address(mail.to.lower())
    try:
        kind = kind_of(mail.kind)
    except UnknownKindError:
        raise Refused(_("The portal no longer sends mails of this kind.")) from None
    if kind is INVITATION_SENT_MAIL:
        raise Refused(
            _("Send the invitation again instead. To another address it is a new invitation: invite that.")
        )
    if kind.opens:
        raise Refused(_("Its link opens something. Let the person ask for a new one."))
    if mail.state == State.DROPPED:
        raise Refused(_("What this mail told is no longer so, so it is not sent again."))
    if mail.state not in {State.SENT, State.FAILED}:
        raise Refused(_("This mail is still on its way. Wait until it is sent or has failed."))
    if mail.created_at < timezone.now() - NOT_AFTER:
        raise Refused(
            _("This mail is older than 7 days, and may no longer be true. Tell them in the ticket.")
        )
    return mail, kind


def _may_get(organization: Organization, kind: MailKind, address: str) -> bool:
    """Whether somebody has the address who may read such a mail now."""
    if kind.to_outsiders:
        return True
    account = BillingAccount.objects.filter(organization=organization).first()
    if kind is INVOICE_ISSUED_MAIL and account is not None and address in account.copies_to:
        return True
    at_address = Q(user__email__iexact=address) | Q(user__emailaddress__email__iexact=address)
    return _readers(organization, kind.permission).filter(at_address).exists()


def _readers(organization: Organization, permission: str) -> MembershipQuerySet:
    """Those whose role gives them the permission; "": everybody who belongs."""
    people = Membership.objects.for_org(organization).current().filter(user__is_active=True)
    if permission:
        people = people.filter(role__in=granting_roles(Permission(permission)))
    return people.select_related("user")


def _enqueued(mail: OutgoingEmail, *, to: str, **changed: bool) -> OutgoingEmail:
    written = enqueue_again(mail, to=to, **changed)
    if written is None:
        raise Refused(_("This mail was sent again already. If that one failed too, send that one again."))
    return written
