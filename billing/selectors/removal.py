"""What ends when a person no longer belongs to an organization."""

import uuid
from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import addresses_of
from billing.models import BillingAccount, OperationKind, PaymentLink, StripeOperation
from billing.models.operations import FIRST_STEP, SET_UPS, StripeOperationQuerySet
from orgs.acting import OrganizationPrincipal
from orgs.models import Membership
from orgs.policy import Permission, may


def pages_of(organization_id: uuid.UUID, people: Collection[uuid.UUID]) -> StripeOperationQuerySet:
    """Stripe's pages to set up what pays, or to buy, that are open or still to be made.

    Also those opened by a payment link of theirs.
    """
    pages = StripeOperation.objects.for_org(organization_id).filter(StripeOperation.unfinished)
    kinds = [*SET_UPS, OperationKind.START_SUBSCRIPTION]
    return pages.filter(kind__in=kinds, step=FIRST_STEP, actor_id__in=people)


def successor_address(
    organization_id: uuid.UUID, actor_id: uuid.UUID | None, *, without: Collection[uuid.UUID] = ()
) -> str:
    """Whom Stripe writes to instead of a person who is gone.

    The first of the organization's further addresses; else the person who acted, while they may change the
    billing details; else the admin who joined first. Stripe needs one: it sends no invoice without. Empty:
    nobody is left.
    ``without``: people who are about to go.
    """
    account = BillingAccount.objects.filter(organization=organization_id).first()
    leaving = Membership.objects.for_org(organization_id).filter(user__in=without).select_related("user")
    gone = {address for person in leaving for address in addresses_of(person.user)}
    copies = [address for address in (account.copies_to if account else []) if address.lower() not in gone]
    if copies:
        return str(copies[0])
    people = Membership.objects.for_org(organization_id).current().filter(user__is_active=True)
    people = people.exclude(user__in=without)
    actor = people.filter(user=actor_id).select_related("user", "organization").first()
    if actor is not None and may(actor, Permission.BILLING_DETAILS_UPDATE):
        return actor.user.email
    first = people.admins().select_related("user").order_by("joined_at", "id").first()
    return first.user.email if first else ""


def what_ends_in_billing(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    """See ``orgs.endings``."""
    people = [person.user_id for person in leaving]
    pages = pages_of(actor.organization_id, people).waiting().count()
    links = PaymentLink.objects.for_org(actor.organization_id).live().filter(maker_id__in=people).count()
    items = [
        ngettext("%(count)s open page at Stripe", "%(count)s open pages at Stripe", pages) % {"count": pages}
        if pages
        else "",
        ngettext("%(count)s payment link", "%(count)s payment links", links) % {"count": links}
        if links
        else "",
        *_mails_for_invoices(leaving, actor),
    ]
    return [item for item in items if item]


def _mails_for_invoices(leaving: Sequence[Membership], actor: OrganizationPrincipal) -> list[str]:
    account = BillingAccount.objects.filter(organization=actor.organization_id).first()
    if account is None:
        return []
    theirs = {address for person in leaving for address in addresses_of(person.user)}
    items = []
    if account.has_customer and account.email.lower() in theirs:
        instead = successor_address(
            actor.organization_id, actor.actor.id, without=[person.user_id for person in leaving]
        )
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
