"""Making somebody an admin where no admin can: one of support staff asks, another grants or refuses it."""

import uuid
from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

import invitations.services
import orgs.services
from audit.registry import Action
from orgs.acting import Act, PrincipalsAct, acting
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Permission, Role
from outbox.registry import MailKind
from support.actions import ADMIN_ASKED, ADMIN_GRANTED, ADMIN_REFUSED
from support.mails import ADMIN_ASKED_MAIL, ADMIN_GRANTED_MAIL
from support.models import ADMIN_REQUEST_LIFE, AdminRequest, AdminRequestState, Proof
from support.principals import StaffInOrganization

StaffsAct = PrincipalsAct[StaffInOrganization]


def ask_for_admin(*, actor: StaffInOrganization, email: str, proof: Proof, reference: str) -> AdminRequest:
    """Ask that an address becomes an admin, whether or not it belongs already; the admins may object.

    Raises Refused.
    """
    address = invitations.services.address_to_invite(email)
    with acting(actor, Permission.ADMINS_PROPOSE) as act:
        act.principal.refuse_own_address(address)
        ensure_not_closing(act.organization)
        _ensure_news(act.organization, address)
        now = timezone.now()
        request = AdminRequest.objects.create(
            organization=act.organization,
            email=address,
            proof=proof,
            reference=reference,
            ticket=act.principal.ticket,
            reason=act.principal.reason,
            asked_by=act.principal.staff.user.pk,
            asked_in=act.principal.pk,
            staff_mail=act.principal.staff.user.email,
            asked_at=now,
            expires_at=now + ADMIN_REQUEST_LIFE,
        )
        _record(ADMIN_ASKED, request, by=act, proof=proof.value, reference=reference)
        _tell(ADMIN_ASKED_MAIL, _admins(act.organization), request, by=act)
        return request


def ensure_not_closing(organization: Organization) -> None:
    """Raise Refused where nobody is let in any more."""
    if organization.is_closing:
        raise Refused(
            _("%(organization)s is closing, so nobody is let in. An admin can undo the closing first.")
            % {"organization": organization}
        )


def grant_admin(*, actor: StaffInOrganization, request_id: uuid.UUID) -> AdminRequest:
    """Make the person an admin, or invite the address as one where nobody of the organization has it.

    Raises Refused, also where the organization has no room; AdminRequest.DoesNotExist.
    """
    with acting(actor, Permission.ADMINS_CONFIRM) as act:
        request = _open_request(act, request_id)
        ensure_not_closing(act.organization)
        admins = list(_admins(act.organization))
        _decide(request, AdminRequestState.GRANTED, by=act)
        _record(ADMIN_GRANTED, request, by=act)
        person = _person_at(act.organization, request.email)
        if person is None:
            invitations.services.invite_by_mail(actor=act.principal, email=request.email, role=Role.ADMIN)
        else:
            orgs.services.change_role(actor=act.principal, membership_id=person.pk, role=Role.ADMIN)
        _tell(ADMIN_GRANTED_MAIL, admins, request, by=act)
        return request


def refuse_admin(*, actor: StaffInOrganization, request_id: uuid.UUID) -> AdminRequest:
    """Turn the request down, because an admin objects or the proof is none. Raises as ``grant_admin``."""
    with acting(actor, Permission.ADMINS_CONFIRM) as act:
        request = _open_request(act, request_id)
        _decide(request, AdminRequestState.REFUSED, by=act)
        _record(ADMIN_REFUSED, request, by=act)
        return request


def _ensure_news(organization: Organization, address: str) -> None:
    person = _person_at(organization, address)
    if person is not None and person.role == Role.ADMIN:
        raise Refused(_("%(address)s is an admin already.") % {"address": address})
    requests = AdminRequest.objects.for_org(organization).filter(email=address)
    requests.overdue().update(state=AdminRequestState.EXPIRED, decided_at=timezone.now())
    if requests.open().exists():
        raise Refused(_("This is asked for already. A colleague grants or refuses it under Admin requests."))


def _open_request(act: StaffsAct, request_id: uuid.UUID) -> AdminRequest:
    """A request on which this staff member may decide. The lock of the organization keeps it so."""
    request = AdminRequest.objects.for_org(act.organization).get(pk=request_id)
    if request.state != AdminRequestState.ASKED:
        raise Refused(
            _("A colleague answered this already. Its state now: %(state)s.")
            % {"state": request.get_state_display()}
        )
    if request.expires_at <= timezone.now():
        raise Refused(_("Nobody answered this within 7 days, so it has expired. Ask for it again."))
    if request.asked_by == act.principal.staff.user.pk:
        raise Refused(_("You asked for this yourself. A colleague grants or refuses it."))
    act.principal.refuse_own_address(request.email)
    return request


def _decide(request: AdminRequest, state: AdminRequestState, *, by: StaffsAct) -> None:
    request.state = state
    request.decided_by, request.decided_in = by.principal.staff.user.pk, by.principal.pk
    request.decided_at = timezone.now()
    request.save(update_fields=["state", "decided_by", "decided_in", "decided_at"])


def _person_at(organization: Organization, address: str) -> Membership | None:
    """Who of the organization has the address, proven."""
    others = Q(user__emailaddress__email=address, user__emailaddress__verified=True)
    people = Membership.objects.for_org(organization).current()
    return people.filter(Q(user__email=address) | others).first()


def _admins(organization: Organization) -> Iterable[Membership]:
    return Membership.objects.for_org(organization).admins().select_related("user")


def _record(action: Action, request: AdminRequest, *, by: Act, **data: str) -> None:
    by.record(action, target=(request.pk, request.email), **data)


def _tell(kind: MailKind, admins: Iterable[Membership], request: AdminRequest, *, by: StaffsAct) -> None:
    by.mail_each(
        kind,
        to={f"{kind.code}:{request.pk}:{admin.user_id}": admin.user.email for admin in admins},
        address=request.email,
        proof=request.proof,
        reference=request.reference,
        ticket=by.principal.ticket,
    )
