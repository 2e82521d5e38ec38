"""Invoices in templates."""

from datetime import date

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billing.invoice_states import InvoiceFacts, InvoiceState, state_of
from billing.models import Invoice
from billing.money import format_money
from billing.selectors import InvoiceRow
from orgs.dates import day

register = template.Library()


@register.simple_tag
def invoice_state(invoice: InvoiceFacts) -> SafeString:
    """The state as a tag, in the tone of what is to be done about it. A tag, since lists have many."""
    return format_html('<span class="tag {}">{}</span>', state_of(invoice).tone, state_words(invoice))


def state_words(invoice: InvoiceFacts) -> str:
    """The state as the tag says it: of what was given back in part, how much."""
    state = state_of(invoice)
    if state is InvoiceState.PARTLY_REFUNDED:
        return _("Refunded %(amount)s") % {"amount": format_money(invoice.refunded, invoice.currency)}
    if state is InvoiceState.PARTLY_CREDITED:
        return _("Credited %(amount)s") % {"amount": format_money(invoice.credited, invoice.currency)}
    return str(state.label)


@register.filter
def due_day(invoice: InvoiceRow | Invoice) -> str:
    """What is charged automatically is due when it is issued, as Stripe's own paper says."""
    return day(invoice.due_at or invoice.issued_at)


@register.simple_tag
def days(begins: date | None, ends: date | None) -> str:
    """A span of days, in no more words than it takes: the first without the month or year that both share."""
    if begins is None or ends is None:
        return ""
    if begins == ends:
        return day(ends)
    start = day(begins)
    if begins.year == ends.year:
        start = start.rpartition(" ")[0]
        if begins.month == ends.month:
            start = str(begins.day)
    # A line may end after the dash only.
    return " ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in (f"{start} –", day(ends)))
