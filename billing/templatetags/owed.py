"""What is owed in templates: why, and what comes next of it."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.declines import reason_of
from billing.invoice_states import InvoiceState
from billing.money import format_money
from billing.selectors.owed import OwedInvoice
from orgs.dates import day

register = template.Library()

OWED: dict[InvoiceState, Promise] = {
    InvoiceState.DUE: gettext_lazy("It is not paid yet."),
    InvoiceState.OVERDUE: gettext_lazy("It was due on %(due)s."),
    InvoiceState.PARTLY_PAID: gettext_lazy("%(paid)s of %(total)s is paid."),
    InvoiceState.FAILED: gettext_lazy("The payment failed: %(reason)s."),
    InvoiceState.NEEDS_CONFIRMATION: gettext_lazy("The bank wants you to confirm the payment."),
}


@register.simple_tag
def owed_sentence(owed: OwedInvoice) -> str:
    """Why it is owed, in one sentence."""
    invoice, reason = owed.invoice, reason_of(owed.invoice.failure_code)
    if owed.under_way:
        return _("A payment of %(amount)s is under way.") % {
            "amount": format_money(invoice.amount_remaining, invoice.currency)
        }
    if invoice.state is InvoiceState.FAILED and owed.tried:
        return _("%(method)s could not be charged: %(reason)s.") % {"method": owed.tried, "reason": reason}
    return str(OWED[invoice.state]) % {
        "paid": format_money(invoice.amount_paid, invoice.currency),
        "total": format_money(invoice.amount_due, invoice.currency),
        "due": day(invoice.due_at),
        "reason": reason,
    }


@register.simple_tag
def owed_note(owed: OwedInvoice) -> str:
    """What comes next of it; empty where nothing is known to."""
    invoice = owed.invoice
    if owed.under_way or invoice.state is InvoiceState.NEEDS_CONFIRMATION:
        return ""
    if owed.comes_by_itself:
        return _("Stripe charges it on %(day)s.") % {"day": day(invoice.next_attempt_at)}
    if invoice.next_attempt_at is not None:
        return _("Next attempt on %(day)s.") % {"day": day(invoice.next_attempt_at)}
    if invoice.state is InvoiceState.FAILED:
        return _("Stripe does not try again by itself.")
    if invoice.due_at is None or invoice.state is InvoiceState.OVERDUE:
        return ""
    return _("It is due on %(day)s.") % {"day": day(invoice.due_at)}
