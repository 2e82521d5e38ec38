"""An invoice as a document: its words."""

from datetime import date

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.declines import reason_of
from billing.invoice_states import InvoiceState
from billing.money import format_money
from billing.parties import lines_of_party
from billing.selectors import InvoicePage
from billing.sums import Part, Return
from billing.templatetags.sums import payment_day, payment_method, payment_words
from orgs.dates import day

register = template.Library()

UNPAID: dict[InvoiceState, Promise] = {
    InvoiceState.ON_ITS_WAY: gettext_lazy("on its way"),
    InvoiceState.NOTHING_DUE: gettext_lazy("nothing to pay"),
    InvoiceState.TO_BALANCE: gettext_lazy("nothing to pay"),
    InvoiceState.WRITTEN_OFF: gettext_lazy("not paid, written off"),
    InvoiceState.VOID: gettext_lazy("nothing to pay, void"),
}
# Why nothing was paid with money, by the rows that say so.
COVERED: dict[Part, Promise] = {
    Part.APPLIED_BALANCE: gettext_lazy("from balance"),
    Part.CREDITED: gettext_lazy("by credit note"),
    Part.CARRIED_OVER: gettext_lazy("carried over to the next invoice"),
    Part.PAID_ELSEWHERE: gettext_lazy("outside Stripe"),
}
NEWS: dict[InvoiceState, Promise] = {
    InvoiceState.OVERDUE: gettext_lazy("%(amount)s was due on %(due)s."),
    InvoiceState.PARTLY_PAID: gettext_lazy("%(amount)s of %(total)s is still to be paid."),
    InvoiceState.FAILED: gettext_lazy("%(amount)s could not be charged: %(reason)s."),
    InvoiceState.NEEDS_CONFIRMATION: gettext_lazy(
        "The payment of %(amount)s waits until you confirm it with your bank."
    ),
    InvoiceState.ON_ITS_WAY: gettext_lazy("The payment of %(amount)s is on its way."),
    InvoiceState.WRITTEN_OFF: gettext_lazy("This invoice is written off. It can still be paid."),
    InvoiceState.VOID: gettext_lazy("This invoice is void. Nothing is to be paid."),
}
FAILED_WITH_METHOD = gettext_lazy("%(amount)s could not be charged to %(method)s on %(day)s: %(reason)s.")
ON_ITS_WAY_FROM = gettext_lazy("The payment of %(amount)s from %(method)s is on its way.")
# https://docs.stripe.com/api/credit_notes/object#credit_note_object-reason
REASONS: dict[str, Promise] = {
    "duplicate": gettext_lazy("invoiced twice"),
    "fraudulent": gettext_lazy("fraud"),
    "order_change": gettext_lazy("the order changed"),
    "product_unsatisfactory": gettext_lazy("not satisfied with the product"),
}
DESTINATIONS: dict[str, Promise] = {
    "before_payment": gettext_lazy("taken off before payment"),
    "refunded": gettext_lazy("refunded"),
    "to_balance": gettext_lazy("credited to balance"),
    "off_stripe": gettext_lazy("given back outside Stripe"),
}


register.filter("party_lines", lines_of_party)


@register.simple_tag
def paid_words(page: InvoicePage) -> list[str]:
    """When and with what it was paid, each payment in a line; else why not."""
    lines = [payment_words(one) for one in page.received] or _without_payment(page)
    if page.received and page.state.is_owed:
        lines.append(_("the rest not yet"))
    return lines


def _without_payment(page: InvoicePage) -> list[str]:
    if page.state in UNPAID:
        return [str(UNPAID[page.state])]
    if page.invoice.status != "paid":
        return [_("not yet")]
    how = next((str(words) for part, words in COVERED.items() if part in page.parts), "")
    return [", ".join(filter(None, (day(page.invoice.paid_at), how)))]


@register.simple_tag
def invoice_news(page: InvoicePage) -> str:
    """What became of its payment, in a sentence; empty where there is nothing to tell beyond its state."""
    invoice, tried = page.invoice, page.tried
    if page.under_way:
        return _("A payment of %(amount)s is under way.") % {
            "amount": format_money(invoice.amount_remaining, invoice.currency)
        }
    method = payment_method(tried) if tried else ""
    sentence = NEWS.get(page.state, "")
    if page.state is InvoiceState.FAILED and method and tried and tried["at"]:
        sentence = FAILED_WITH_METHOD
    elif page.state is InvoiceState.ON_ITS_WAY and method:
        sentence = ON_ITS_WAY_FROM
    return str(sentence) % {
        "amount": format_money(tried["amount"] if tried else invoice.amount_remaining, invoice.currency),
        "total": format_money(invoice.amount_due, invoice.currency),
        "due": day(invoice.due_at),
        "method": method,
        "day": payment_day(tried) if tried else "",
        "reason": reason_of(invoice.failure_code),
    }


@register.simple_tag
def invoice_news_note(page: InvoicePage) -> str:
    """What comes next of it; empty where nothing is known to."""
    if page.under_way:
        return _(
            "Stripe has not said yet what became of it. This page shows it within minutes; nothing has to be "
            "done."
        )
    if page.state is InvoiceState.ON_ITS_WAY:
        return _("Banks take a few days. There is nothing to do.")
    if not page.state.is_owed:
        return ""
    if page.invoice.next_attempt_at is not None:
        return _("Stripe tries again on %(day)s.") % {"day": day(page.invoice.next_attempt_at)}
    return _("Stripe does not try again by itself.") if page.state is InvoiceState.FAILED else ""


@register.simple_tag
def return_label(one: Return) -> str:
    """The credit note, or where the refund went to."""
    if one.note is None:
        return _("Refund without a credit note")
    return _("Credit note %(number)s") % {"number": one.note["number"]}


@register.simple_tag
def return_note(one: Return, currency: str) -> str:
    """Day, reason and destination: the quiet second line."""
    to = payment_method(one.payments[0]) if len(one.payments) == 1 else ""
    refunded_to = _("refunded to %(method)s") % {"method": to} if to else str(DESTINATIONS["refunded"])
    if one.note is None:
        return refunded_to
    note = one.note
    words = {**DESTINATIONS, "refunded": refunded_to}
    where = [(note[name], text) for name, text in words.items() if note[name]]
    parts = [f"{format_money(amount, currency)} {text}" for amount, text in where]
    reason = note["memo"] or str(REASONS.get(note["reason"], ""))
    went = parts if len(where) > 1 else [str(text) for _amount, text in where]
    return "; ".join(filter(None, (day(date.fromisoformat(note["day"])), reason, ", ".join(went))))
