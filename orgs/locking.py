"""The first lock of every verb."""

from orgs.models import Membership, Organization


def lock_organization_of(actor: Membership) -> tuple[Organization, Membership]:
    """Lock the organization, then read the acting membership as it is now: the page may be older.

    The order everywhere: organization, invitation, membership, billing account.
    Raises Membership.DoesNotExist for who was removed meanwhile.
    """
    organization = Organization.objects.locked(actor.organization_id)
    actor = Membership.objects.select_related("user").get(pk=actor.pk)
    actor.organization = organization
    return organization, actor
