"""What the pages read, one dataclass per page. All of it from the mirror: Stripe down, they still answer."""

from billing.selectors.activity import activity_page, latest_activity
from billing.selectors.closing import ClosingPage, closing_page
from billing.selectors.credit_hours import CreditsPage, credits_page
from billing.selectors.editions import editions_page
from billing.selectors.endings import EndingPage, ending_page
from billing.selectors.invoice_list import PAGE_SIZE, InvoiceFilter, Sort, filter_in, invoice_list
from billing.selectors.invoice_page import InvoicePage, issued_invoice, page_of
from billing.selectors.invoices import InvoiceRow
from billing.selectors.organizations import organizations_page, wanted_in
from billing.selectors.overview import billing_page, is_something_owed, own_card_setup, own_purchase
from billing.selectors.payment_links import payment_link, payment_links_page
from billing.selectors.plan_changes import PlanChangePage, plan_page, seats_page
from billing.selectors.start_list import Shown, start_list

__all__ = [
    "PAGE_SIZE",
    "ClosingPage",
    "CreditsPage",
    "EndingPage",
    "InvoiceFilter",
    "InvoicePage",
    "InvoiceRow",
    "PlanChangePage",
    "Shown",
    "Sort",
    "activity_page",
    "billing_page",
    "closing_page",
    "credits_page",
    "editions_page",
    "ending_page",
    "filter_in",
    "invoice_list",
    "is_something_owed",
    "issued_invoice",
    "latest_activity",
    "organizations_page",
    "own_card_setup",
    "own_purchase",
    "page_of",
    "payment_link",
    "payment_links_page",
    "plan_page",
    "seats_page",
    "start_list",
    "wanted_in",
]
