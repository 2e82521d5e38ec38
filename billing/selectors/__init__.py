"""What the pages read, one dataclass per page. All of it from the mirror: Stripe down, they still answer."""

from billing.selectors.invoice_page import InvoicePage, issued_invoice, page_of
from billing.selectors.invoices import PAGE_SIZE, InvoiceRow, invoice_list
from billing.selectors.overview import billing_page, next_charges, own_card_setup

__all__ = [
    "PAGE_SIZE",
    "InvoicePage",
    "InvoiceRow",
    "billing_page",
    "invoice_list",
    "issued_invoice",
    "next_charges",
    "own_card_setup",
    "page_of",
]
