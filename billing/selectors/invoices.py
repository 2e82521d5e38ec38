"""Lists of invoices, and one invoice."""

import uuid
from datetime import datetime
from typing import NamedTuple

from billing.models import Invoice, InvoiceStatus
from orgs.models import Organization
from orgs.rows import Key, Page, fetch_page, fetch_rows

LATEST = 5
PAGE_SIZE = 25
# More open invoices than this are told of on the list of invoices.
OPEN_SHOWN = 20

# What a customer gets to see: as InvoiceQuerySet.issued and Invoice.payment_failed say.
ISSUED = """
    SELECT i.id::text, COALESCE(NULLIF(i.number, ''), i.stripe_id) AS number, i.status, i.currency, i.total,
           i.amount_remaining, i.next_attempt_at, i.due_at, i.created_at,
           i.status = 'open' AND i.charged_automatically AND i.attempt_count > 0 AS payment_failed
    FROM billing_invoice i
    WHERE i.organization_id = %(organization)s AND i.status NOT IN ('draft', 'deleted')
"""
LATEST_AND_OPEN = f"""
    ({ISSUED} ORDER BY i.created_at DESC, i.id DESC LIMIT %(latest)s)
    UNION
    ({ISSUED} AND i.status = 'open' ORDER BY i.created_at DESC, i.id DESC LIMIT %(open)s)
    ORDER BY created_at DESC, id DESC
"""
OLDER = f"""{ISSUED}
    AND (i.created_at, i.id) < (%(at)s, %(id)s)
    ORDER BY i.created_at DESC, i.id DESC LIMIT %(most)s
"""
NEWER = f"""{ISSUED}
    AND (i.created_at, i.id) > (%(at)s, %(id)s)
    ORDER BY i.created_at, i.id LIMIT %(most)s
"""


class InvoiceRow(NamedTuple):
    """An invoice as lists and alerts show it. Amounts in minor units."""

    id: str
    number: str
    status: str
    currency: str
    total: int
    amount_remaining: int
    next_attempt_at: datetime | None
    due_at: datetime | None
    created_at: datetime
    payment_failed: bool


def latest_and_open(organization_id: uuid.UUID) -> tuple[list[InvoiceRow], list[InvoiceRow]]:
    """The latest invoices, and those still to be paid, newest first, in one statement."""
    found = fetch_rows(
        InvoiceRow, LATEST_AND_OPEN, organization=organization_id, latest=LATEST, open=OPEN_SHOWN
    )
    return found[:LATEST], [invoice for invoice in found if invoice.status == InvoiceStatus.OPEN]


def invoice_list(
    organization: Organization, *, older_than: uuid.UUID | None, newer_than: uuid.UUID | None
) -> Page[InvoiceRow]:
    """The page next to an invoice; the first one where there is none, or the invoice isn't known here."""
    return fetch_page(
        InvoiceRow,
        older=OLDER,
        newer=NEWER,
        after=_key_of(organization, older_than),
        before=_key_of(organization, newer_than),
        size=PAGE_SIZE,
        organization=organization.pk,
    )


def _key_of(organization: Organization, invoice_id: uuid.UUID | None) -> Key | None:
    if invoice_id is None:
        return None
    issued = Invoice.objects.for_org(organization).issued()
    return issued.filter(pk=invoice_id).values_list("created_at", "id").first()


def issued_invoice(organization: Organization, invoice_id: uuid.UUID) -> Invoice:
    """One invoice with its lines. Raises Invoice.DoesNotExist, also for a draft or another organization's."""
    invoices = Invoice.objects.for_org(organization).issued()
    return invoices.select_related("organization__billing_account").get(pk=invoice_id)
