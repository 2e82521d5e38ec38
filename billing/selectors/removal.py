"""What ends when a person no longer belongs to an organization."""

import uuid
from collections.abc import Collection, Sequence

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import addresses_of
from billing.models import BillingAccount, OperationKind, PaymentLink, StripeOperation
from billing.models.operations import FIRST_STEP, SET_UPS, StripeOperationQuerySet
from billing.models.payment_links import PaymentLinkQuerySet
from orgs.acting import OrganizationPrincipal
from orgs.endings import counted_among_endings
from orgs.models import Membership
from orgs.policy import Permission, Role, may


def pages_of(organization_id: uuid.UUID, people: Collection[uuid.UUID]) -> StripeOperationQuerySet:
    """Stripe's pages to set up what pays, or to buy, that are open or still to be made.

    Also those opened by a payment link of theirs.
    """
    pages = StripeOperation.objects.for_org(organization_id).filter(StripeOperation.unfinished)
    kinds = [*SET_UPS, OperationKind.START_SUBSCRIPTION]
    return pages.filter(kind__in=kinds, step=FIRST_STEP, actor_id__in=people)


def successor_address(
    account: BillingAccount, actor_id: uuid.UUID | None, *, leaving: Sequence[Membership] = ()
) -> str:
    """Whom Stripe writes to instead of a person who is gone.

    The first of the organization's further addresses; else the person who acted, while they may change the
    billing details; else the admin who joined first. Stripe needs one: it sends no invoice without. Empty:
    nobody is left. ``leaving``: those who are about to go.
    """
    gone = _addresses(leaving)
    copies = [str(address) for address in account.copies_to if address.lower() not in gone]
    if copies:
        return copies[0]
    people = Membership.objects.for_org(account.organization_id).current().filter(user__is_active=True)
    people = people.exclude(pk__in=[person.pk for person in leaving]).order_by("joined_at", "id")
    found = people.filter(Q(user=actor_id) | Q(role=Role.ADMIN)).select_related("user", "organization")
    acted = [one for one in found if one.user_id == actor_id and may(one, Permission.BILLING_DETAILS_UPDATE)]
    admins = [one for one in found if one.role == Role.ADMIN]
    return next((person.user.email for person in acted + admins), "")


@counted_among_endings(
    lambda count: ngettext("%(count)s open page at Stripe", "%(count)s open pages at Stripe", count)
)
def _ended_pages(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> StripeOperationQuerySet:
    return pages_of(actor.organization_id, [person.user_id for person in leaving]).waiting()


@counted_among_endings(lambda count: ngettext("%(count)s payment link", "%(count)s payment links", count))
def _ended_links(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> PaymentLinkQuerySet:
    links = PaymentLink.objects.for_org(actor.organization_id).live()
    return links.filter(maker_id__in=[person.user_id for person in leaving])


def ended_addresses(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    """See ``orgs.endings``: to whom Stripe and the portal no longer write about invoices."""
    account = BillingAccount.objects.filter(organization=actor.organization_id).first()
    return _mails_for_invoices(account, leaving, actor) if account else []


def _addresses(people: Sequence[Membership]) -> set[str]:
    return {address for person in people for address in addresses_of(person.user)}


def _mails_for_invoices(
    account: BillingAccount, leaving: Sequence[Membership], actor: OrganizationPrincipal
) -> list[str]:
    theirs = _addresses(leaving)
    items = []
    if account.has_customer and account.email.lower() in theirs:
        instead = successor_address(account, actor.actor.id, leaving=leaving)
        if not instead:
            # The last admin can't leave.
            return []
        among_copies = instead in account.copies_to and may(actor, Permission.BILLING_VIEW)
        shown = may(actor, Permission.MEMBERS_LIST) or among_copies or instead == _own_address(actor)
        items.append(
            _("Mails for invoices to %(theirs)s. Stripe is asked to send them to %(address)s.")
            % {"address": instead if shown else _("another address"), "theirs": account.email}
        )
    items += [
        _("Copies of invoices to %(address)s") % {"address": address}
        for address in account.copies_to
        if address.lower() in theirs
    ]
    return items


def _own_address(actor: OrganizationPrincipal) -> str:
    return actor.user.email if isinstance(actor, Membership) else ""
