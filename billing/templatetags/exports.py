"""What the files for finance tools are called."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.focus.columns import Dataset

register = template.Library()

NAMES = {
    Dataset.COST_AND_USAGE: _("Cost and usage"),
    Dataset.INVOICE_DETAIL: _("Invoice detail"),
    Dataset.BILLING_PERIOD: _("Billing periods"),
}
WORDS = {
    Dataset.COST_AND_USAGE: _(
        "Every charge: plans, seats, credits, taxes and credit notes, and usage by day with what covered it."
    ),
    Dataset.INVOICE_DETAIL: _("Every item of each invoice and credit note, with its dates and terms."),
    Dataset.BILLING_PERIOD: _("The months, and whether they are closed or may still change."),
}


@register.filter
def file_name(dataset: Dataset) -> Promise:
    return NAMES[dataset]


@register.filter
def file_words(dataset: Dataset) -> Promise:
    return WORDS[dataset]
