"""A new customer's organization, made by the product beside the portal, with an invitation for its admin."""

from django.db import transaction
from django.utils.translation import gettext as _

from invitations.models import Invitation
from invitations.services.sending import address_to_invite, invite_by_mail
from orgs.errors import Refused
from orgs.models import Organization
from orgs.policy import Permission, Role, ensure
from orgs.services import provision_organization
from tokens.models import ServiceToken


@transaction.atomic
def provision(
    *, token: ServiceToken, external_id: str, name: str, edition_code: str, admin: str
) -> tuple[Organization, bool]:
    """The organization that the product calls ``external_id``, and whether it was made just now.

    ``admin``: an address. Whether it has an account plays no part: the organization waits until its person
    accepts. Sent again, the request changes nothing. Raises Refused where somebody else was invited under
    the same id, or the organization was closed, Denied, and ServiceToken.DoesNotExist when the token has
    ended.
    """
    now = ServiceToken.objects.live().get(pk=token.pk)
    ensure(now, Permission.ORGANIZATIONS_CREATE)
    address = address_to_invite(admin)
    organization, made = provision_organization(
        external_id=external_id, name=name, edition_code=edition_code, actor=now.actor
    )
    if made:
        invite_by_mail(actor=now.within(organization), email=address, role=Role.ADMIN)
    elif organization.closed_at is not None:
        raise Refused(_("The organization with this external id was closed. A new one needs another id."))
    elif not _was_invited(organization, address):
        raise Refused(_("Another organization has this external id: somebody else was invited to run it."))
    return organization, made


def _was_invited(organization: Organization, address: str) -> bool:
    """Whoever has sent it again since is its inviter by now."""
    invitations = Invitation.objects.for_org(organization).filter(role=Role.ADMIN)
    return invitations.filter(email=address).exists()
