"""Payment links: made, opened by who holds one, revoked; and a new one asked for when one has ended."""

import uuid
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import display_name
from audit.services import Actor
from billing.actions import (
    PAYMENT_LINK_COPIED,
    PAYMENT_LINK_MADE,
    PAYMENT_LINK_OPENED,
    PAYMENT_LINK_REVOKED,
)
from billing.invoice_states import state_of
from billing.mails import PAYMENT_LINK_ASKED_MAIL
from billing.models import Invoice, PaymentLink, PaymentStatus
from billing.models.payment_links import LIFE
from billing.operations.cards import start_card_setup
from orgs import events
from orgs.acting import Act, MembersAct, acting
from orgs.errors import Refused
from orgs.models import Membership, Organization
from orgs.policy import Denied, Permission, may
from outbox.services import enqueue

ASKED_EVERY = timedelta(hours=1)


class Ended(StrEnum):
    """Why a link opens nothing any more."""

    REVOKED = "revoked"
    FINISHED = "finished"
    ON_ITS_WAY = "on_its_way"
    PAID = "paid"
    EXPIRED = "expired"
    NOT_ALLOWED = "not_allowed"

    @property
    def sentence(self) -> Promise:
        return SENTENCES[self]

    @property
    def may_be_asked_anew(self) -> bool:
        """Whether a new link would open anything."""
        return self not in {self.ON_ITS_WAY, self.PAID}


SENTENCES = {
    Ended.REVOKED: gettext_lazy("It was revoked."),
    Ended.FINISHED: gettext_lazy("A card was added with it already. Each link works once."),
    Ended.ON_ITS_WAY: gettext_lazy("A payment of the invoice is on its way."),
    Ended.PAID: gettext_lazy("The invoice is not to be paid any more."),
    Ended.EXPIRED: gettext_lazy("It has expired."),
    Ended.NOT_ALLOWED: gettext_lazy("The person who made it may not ask for this any more."),
}


class LinkEnded(Exception):
    """The link opens nothing any more."""


def make_card_link(*, actor: Membership) -> PaymentLink:
    """A link to add a card. Raises Denied and Membership.DoesNotExist."""
    with acting(actor, Permission.BILLING_CARD_UPDATE) as act:
        return _make(act, invoice=None)


def make_invoice_link(*, actor: Membership, invoice_id: uuid.UUID) -> PaymentLink:
    """A link to pay an open invoice.

    Raises Denied, Refused, Invoice.DoesNotExist and Membership.DoesNotExist.
    """
    with acting(actor, Permission.BILLING_INVOICES_PAY) as act:
        invoice = Invoice.objects.for_org(act.organization).issued().get(pk=invoice_id)
        if not state_of(invoice).is_owed or not invoice.hosted_url:
            raise Refused(_("Invoice %(number)s is not to be paid any more.") % {"number": invoice})
        return _make(act, invoice=invoice)


def _make(act: MembersAct, *, invoice: Invoice | None) -> PaymentLink:
    link = PaymentLink.objects.create(
        organization=act.organization,
        invoice=invoice,
        maker_id=act.membership.user_id,
        maker_name=display_name(act.membership.user),
        expires_at=timezone.now() + LIFE,
    )
    act.record(PAYMENT_LINK_MADE, target=(link.pk, ""), invoice=_number(link))
    return link


def copy_link(*, actor: Membership, link_id: uuid.UUID) -> PaymentLink:
    """A link that still opens something, to be shown again.

    Raises Denied, PaymentLink.DoesNotExist and Membership.DoesNotExist.
    """
    with acting(actor, Permission.BILLING_CARD_UPDATE) as act:
        link = PaymentLink.objects.for_org(act.organization).live().get(pk=link_id)
        act.record(PAYMENT_LINK_COPIED, target=(link.pk, ""), invoice=_number(link))
        return link


def revoke_link(*, actor: Membership, link_id: uuid.UUID) -> None:
    """Revoking twice changes nothing. Raises Denied, PaymentLink.DoesNotExist, Membership.DoesNotExist."""
    with acting(actor, Permission.BILLING_CARD_UPDATE) as act:
        link = PaymentLink.objects.for_org(act.organization).get(pk=link_id)
        if link.revoked_at is None:
            link.revoked_at = timezone.now()
            link.save(update_fields=["revoked_at"])
            act.record(PAYMENT_LINK_REVOKED, target=(link.pk, ""), invoice=_number(link))


@receiver(events.membership_ended)
def end_links_of_who_left(
    organization_id: uuid.UUID, user_id: uuid.UUID, actor: Actor, **_kwargs: Any
) -> None:
    """A link stands on its maker's right. It ends for good, also if they come back."""
    organization = Organization.objects.get(pk=organization_id)
    for link in PaymentLink.objects.for_org(organization).live().filter(maker_id=user_id):
        link.revoked_at = timezone.now()
        link.save(update_fields=["revoked_at"])
        Act(organization, actor).record(PAYMENT_LINK_REVOKED, target=(link.pk, ""), invoice=_number(link))


def ended_because(link: PaymentLink) -> Ended | None:
    """None: it opens something."""
    if link.revoked_at is not None:
        return Ended.REVOKED
    if link.finished_at is not None:
        return Ended.FINISHED
    if link.invoice is not None and not state_of(link.invoice).is_owed:
        on_its_way = link.invoice.payment_status == PaymentStatus.PROCESSING
        return Ended.ON_ITS_WAY if on_its_way else Ended.PAID
    if link.expires_at <= timezone.now():
        return Ended.EXPIRED
    maker = maker_of(link)
    return None if maker is not None and may(maker, permission_of(link)) else Ended.NOT_ALLOWED


def maker_of(link: PaymentLink) -> Membership | None:
    """Who made it, if they still belong to the organization and can sign in."""
    makers = Membership.objects.for_org(link.organization_id).filter(
        user_id=link.maker_id, user__is_active=True
    )
    return makers.select_related("user", "organization").first()


def permission_of(link: PaymentLink) -> Permission:
    return Permission.BILLING_CARD_UPDATE if link.invoice is None else Permission.BILLING_INVOICES_PAY


def open_link(link: PaymentLink) -> str:
    """The address of Stripe's page that the link is for. Its maker answers for it, as if they had opened it.

    Raises LinkEnded, and Refused when Stripe doesn't answer or refuses.
    """
    maker = maker_of(link)
    if maker is None or ended_because(link) is not None:
        raise LinkEnded
    try:
        url = start_card_setup(actor=maker, payment_link=link) if link.invoice is None else ""
        with acting(maker, permission_of(link)) as act:
            live = PaymentLink.objects.for_org(act.organization).live().get(pk=link.pk)
            if live.opened_at is None:
                live.opened_at = timezone.now()
                live.save(update_fields=["opened_at"])
                act.record(PAYMENT_LINK_OPENED, target=(link.pk, ""), invoice=_number(live))
            return live.invoice.hosted_url if live.invoice is not None else url
    except (Denied, Membership.DoesNotExist, PaymentLink.DoesNotExist):
        raise LinkEnded from None


@transaction.atomic
def ask_for_new_link(link: PaymentLink) -> None:
    """Tell the maker, at most once an hour, and only while they may make another."""
    asked = PaymentLink.objects.select_for_update(of=("self",)).select_related("invoice").get(pk=link.pk)
    now = timezone.now()
    reason = ended_because(asked)
    if (
        reason is None
        or not reason.may_be_asked_anew
        or (asked.asked_at is not None and asked.asked_at > now - ASKED_EVERY)
    ):
        return
    asked.asked_at = now
    asked.save(update_fields=["asked_at"])
    maker = maker_of(asked)
    if maker is not None and may(maker, permission_of(asked)):
        enqueue(
            PAYMENT_LINK_ASKED_MAIL,
            to=maker.user.email,
            dedupe_key=f"payment_link_asked:{asked.pk}:{now.isoformat()}",
            organization_id=asked.organization_id,
            organization=maker.organization.name,
            slug=maker.organization.slug,
            invoice=_number(asked),
        )


def _number(link: PaymentLink) -> str:
    return str(link.invoice) if link.invoice is not None else ""
