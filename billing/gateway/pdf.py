"""An invoice's PDF, fetched from where Stripe keeps it: from hosts of Stripe's only, so large and no longer.

A person waits for it (``person_waits``). It is passed on when it is here whole, so that one that breaks off
becomes a page that says so.
"""

import time
from urllib.parse import urljoin, urlsplit

import requests
import structlog
import urllib3
from django.conf import settings

from billing.gateway.errors import GatewayError, GatewayForbidden, GatewayMissing, GatewayUnavailable
from billing.gateway.invoicing import invoice_pdf_url
from billing.gateway.patience import PATIENCE_SECONDS, answer_of

logger = structlog.get_logger(__name__)

# Stripe's of an invoice with a thousand lines has about a tenth of that.
LARGEST = 10_000_000
CHUNK = 65_536
MOST_REDIRECTS = 3
# No piece that arrives is unpacked, so that what was counted is what is kept.
AS_IT_IS = {"Accept-Encoding": "identity"}


def invoice_pdf(invoice_id: str, *, known_url: str) -> bytes:
    """The PDF at a fresh address, or at the one we know while Stripe tells none: that one expires.

    Raises GatewayUnavailable, GatewayForbidden, and GatewayMissing where there is no PDF.
    """
    try:
        url = invoice_pdf_url(invoice_id)
    except GatewayForbidden:
        raise
    except GatewayError:
        url = known_url
    if not url:
        raise GatewayMissing("resource_missing", "Stripe has made no PDF of the invoice.")
    return answer_of(lambda: _fetch(url))


def _fetch(url: str) -> bytes:
    stop_at = time.monotonic() + PATIENCE_SECONDS
    try:
        for _hop in range(MOST_REDIRECTS + 1):
            _refuse_elsewhere(url)
            with requests.get(
                url, headers=AS_IT_IS, timeout=PATIENCE_SECONDS, stream=True, allow_redirects=False
            ) as answer:
                if not answer.is_redirect:
                    return _pdf_in(answer, stop_at)
                url = urljoin(url, answer.headers["Location"])
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _unavailable(f"The PDF did not come: {type(error).__name__}") from error
    raise _unavailable("The PDF's address leads from one to another.")


def _refuse_elsewhere(url: str) -> None:
    """Raise GatewayUnavailable unless the address is one of Stripe's: nobody else's file is passed on."""
    address = urlsplit(url)
    stripes = [settings.STRIPE_API_BASE] if settings.STRIPE_API_BASE else _file_origins()
    if f"{address.scheme}://{address.netloc}".lower() not in stripes:
        logger.error("stripe_pdf_elsewhere", host=address.netloc)
        raise GatewayUnavailable(f"The PDF lies at {address.netloc}, which is no host in STRIPE_FILE_HOSTS.")


def _file_origins() -> list[str]:
    return [f"https://{host}" for host in settings.STRIPE_FILE_HOSTS]


def _pdf_in(answer: requests.Response, stop_at: float) -> bytes:
    if answer.status_code != requests.codes.ok:
        raise _unavailable(f"Instead of the PDF came {answer.status_code}.")
    file = bytearray()
    # One piece as it arrives at a time: to wait for a full one would let a trickle last for ever.
    while piece := answer.raw.read1(CHUNK):
        file += piece
        if len(file) > LARGEST:
            raise _unavailable("The PDF is too large.")
        if time.monotonic() > stop_at:
            raise _unavailable("The PDF comes too slowly.")
    if not file.startswith(b"%PDF-"):
        raise _unavailable("What came is no PDF.")
    return bytes(file)


def _unavailable(reason: str) -> GatewayUnavailable:
    logger.warning("stripe_pdf_unavailable", reason=reason)
    return GatewayUnavailable(reason)
