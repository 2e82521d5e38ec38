"""Asking for a permission, and the answers: refused by an admin, or granted in whatever way it comes."""

import uuid
from collections import defaultdict
from collections.abc import Mapping

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import display_name
from orgs import actions
from orgs.acting import Act, acting
from orgs.errors import Refused
from orgs.mails import ACCESS_ANSWERED_MAIL, ACCESS_REQUESTED_MAIL
from orgs.models import AccessRequest, Membership, Organization
from orgs.policy import Permission, may


def request_access(*, actor: Membership, permission: Permission) -> None:
    """Ask the organization's admins for a permission. They get one mail a day that lists what was asked.

    Asking again before that mail changes nothing.
    """
    with acting(actor, Permission.ACCESS_REQUEST) as act:
        organization = act.organization
        if may(act.membership, permission):
            raise Refused(_("You may do this already. Open the page again."))
        now = timezone.now()
        mail_at = organization.access_mail_for(now)
        if act.membership.access_requests.filter(permission=permission, mail_at=mail_at).exists():
            return
        AccessRequest.objects.update_or_create(
            membership=act.membership,
            permission=permission,
            defaults={"asked_at": now, "mail_at": mail_at},
        )
        organization.access_mail_at = mail_at
        organization.save(update_fields=["access_mail_at"])
        act.record(actions.ACCESS_REQUESTED, permission=permission.value)
        # Each time, since there may be more admins by now. Two such mails are a day apart or more.
        act.mail_each(
            ACCESS_REQUESTED_MAIL,
            to={
                f"access_requested:{organization.pk}:{mail_at.date()}:{admin.user_id}": admin.user.email
                for admin in Membership.objects.for_org(organization).admins().select_related("user")
            },
            not_before=mail_at,
            mail_at=mail_at.isoformat(),
        )


def refuse_access(*, actor: Membership, membership_id: uuid.UUID, permission: Permission) -> Membership:
    """Turn down what a person asked for, and tell them. They are returned, and may ask again."""
    with acting(actor, Permission.MEMBERS_CHANGE_ROLE) as act:
        people = Membership.objects.for_org(act.organization).select_related("user")
        person = people.get(pk=membership_id)
        request = person.access_requests.filter(permission=permission).first()
        if request is None:
            raise Refused(_("This request was answered already."))
        event = act.record(
            actions.ACCESS_REFUSED,
            target=(person.user_id, display_name(person.user)),
            permission=request.permission,
        )
        act.mail(
            ACCESS_ANSWERED_MAIL,
            to=person.user.email,
            dedupe_key=f"access_refused:{event.pk}",
            permissions=request.permission,
            granted=False,
        )
        request.delete()
        return person


def end_granted(organization: Organization) -> Mapping[uuid.UUID, list[str]]:
    """End the requests of those who may by now do what they asked for. Returns what, by person.

    Call it with the organization locked, after whatever may have granted it.
    """
    granted: dict[uuid.UUID, list[str]] = defaultdict(list)
    requests = AccessRequest.objects.for_org(organization)
    for request in requests.select_related("membership__organization"):
        if request.permission in Permission and may(request.membership, request.permission):
            granted[request.membership.user_id].append(request.permission)
            request.delete()
    return granted


def end_and_tell_of_granted(act: Act) -> None:
    """The same, with a mail to each of them."""
    for user_id, permissions in end_granted(act.organization).items():
        person = Membership.objects.for_org(act.organization).select_related("user").get(user=user_id)
        act.mail(
            ACCESS_ANSWERED_MAIL,
            to=person.user.email,
            dedupe_key=f"access_granted:{person.pk}:{timezone.now().isoformat()}",
            permissions=",".join(permissions),
            granted=True,
        )
