"""The payment links of an organization, and what a holder of one sees."""

import uuid
from dataclasses import dataclass

from billing.models import Invoice, PaymentLink, PaymentStatus
from orgs.models import Organization

# More open invoices than these are rare; each has the button on its own page as well.
INVOICES_OFFERED = 20
LINKS_SHOWN = 100


@dataclass(frozen=True)
class PaymentLinksPage:
    """``links``: those that still open something; ``invoices``: what a link can be made for."""

    links: list[PaymentLink]
    invoices: list[Invoice]


def payment_links_page(organization: Organization) -> PaymentLinksPage:
    unpaid = Invoice.objects.for_org(organization).open().exclude(payment_status=PaymentStatus.PROCESSING)
    payable = unpaid.exclude(hosted_url="").defer("document", "words")
    return PaymentLinksPage(
        links=list(PaymentLink.objects.for_org(organization).live()[:LINKS_SHOWN]),
        invoices=list(payable[:INVOICES_OFFERED]),
    )


def payment_link(link_id: uuid.UUID) -> PaymentLink:
    """With what its page shows. Raises PaymentLink.DoesNotExist."""
    return PaymentLink.objects.select_related("organization", "invoice").get(pk=link_id)
