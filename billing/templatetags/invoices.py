"""Invoices in templates."""

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from billing.models import Invoice, InvoiceStatus
from billing.selectors import InvoiceRow

register = template.Library()

TONES = {
    InvoiceStatus.PAID.value: "good",
    InvoiceStatus.OPEN.value: "warn",
    InvoiceStatus.UNCOLLECTIBLE.value: "bad",
}


@register.simple_tag
def invoice_state(invoice: Invoice | InvoiceRow) -> SafeString:
    """The state as a tag, in the tone of what is to be done about it. A tag, since lists have many."""
    if invoice.payment_failed:
        tone, text = "bad", _("Payment failed")
    else:
        tone, text = TONES.get(invoice.status, ""), str(InvoiceStatus(invoice.status).label)
    return mark_safe(f'<span class="tag {tone}">{text}</span>')  # noqa: S308 - our own words
