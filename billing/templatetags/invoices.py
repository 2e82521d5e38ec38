"""Invoices in templates."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing.models import Invoice, InvoiceStatus

register = template.Library()

TONES = {
    InvoiceStatus.PAID.value: "good",
    InvoiceStatus.OPEN.value: "warn",
    InvoiceStatus.UNCOLLECTIBLE.value: "bad",
}


@register.simple_tag
def invoice_state(invoice: Invoice) -> SafeString:
    """The state as a tag, in the tone of what is to be done about it. A tag, since lists have many."""
    if invoice.payment_failed:
        return format_html('<span class="tag bad">{}</span>', _("Payment failed"))
    tone = TONES.get(invoice.status, "")
    return format_html('<span class="tag {}">{}</span>', tone, InvoiceStatus(invoice.status).label)
