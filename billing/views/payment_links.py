"""Payment links, for those who make them."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.models import Invoice, PaymentLink
from billing.operations.payment_links import copy_link, make_card_link, make_invoice_link, revoke_link
from billing.payment_tokens import payment_url
from billing.selectors import payment_links_page
from orgs.access import OrgRequest, requires
from orgs.errors import Refused
from orgs.policy import Permission


@requires(GET=Permission.BILLING_VIEW)
def payment_links(request: OrgRequest) -> HttpResponse:
    return render(request, "billing/payment_links.html", {"page": payment_links_page(request.organization)})


@requires(POST=Permission.BILLING_CARD_UPDATE)
def card_link(request: OrgRequest) -> HttpResponse:
    """Make a link to add a card, and show it."""
    return _shown(request, make_card_link(actor=request.membership))


@requires(POST=Permission.BILLING_INVOICES_PAY)
def invoice_link(request: OrgRequest, invoice_id: uuid.UUID) -> HttpResponse:
    """Make a link to pay an invoice, and show it."""
    try:
        return _shown(request, make_invoice_link(actor=request.membership, invoice_id=invoice_id))
    except Invoice.DoesNotExist:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, str(refused.message))
        return redirect("payment_links", request.organization.slug)


@requires(POST=Permission.BILLING_CARD_UPDATE)
def payment_link_copy(request: OrgRequest, link_id: uuid.UUID) -> HttpResponse:
    """Show a link again."""
    try:
        return _shown(request, copy_link(actor=request.membership, link_id=link_id))
    except PaymentLink.DoesNotExist:
        _link_or_404(request, link_id)
        return _ended(request)


@requires(GET=Permission.BILLING_CARD_UPDATE, POST=Permission.BILLING_CARD_UPDATE)
def payment_link_revoke(request: OrgRequest, link_id: uuid.UUID) -> HttpResponse:
    """Ask, then revoke."""
    link = _link_or_404(request, link_id)
    if not PaymentLink.objects.live().filter(pk=link.pk).exists():
        return _ended(request)
    home = reverse("payment_links", args=[request.organization.slug])
    if request.method != "POST":
        return render(request, "billing/payment_link_revoke.html", {"link": link, "cancel_url": home})
    revoke_link(actor=request.membership, link_id=link.pk)
    messages.success(request, _("The payment link is revoked. It no longer works."))
    return redirect(home)


def _link_or_404(request: OrgRequest, link_id: uuid.UUID) -> PaymentLink:
    """The link, live or not. One that the organization never had gets 404."""
    return get_object_or_404(PaymentLink.objects.for_org(request.organization), pk=link_id)


def _ended(request: OrgRequest) -> HttpResponse:
    messages.info(request, _("That link works no more already. These are the links that do."))
    return redirect("payment_links", request.organization.slug)


def _shown(request: OrgRequest, link: PaymentLink) -> HttpResponse:
    home = reverse("payment_links", args=[request.organization.slug])
    links = payment_links_page(request.organization).links
    context = {"link": link, "links": links, "url": payment_url(link.pk), "cancel_url": home}
    return render(request, "billing/payment_link.html", context)
