"""How a call to Stripe can end, other than well."""


class GatewayError(Exception):
    """A call to Stripe did not end well."""


class GatewayUnavailable(GatewayError):
    """No answer, or one that tells nothing about the request: timeout, connection, 5xx, 409, 429, a bad key.

    Or Stripe was not asked at all, since it keeps others waiting already (``person_waits``).
    Whether Stripe did the work is unknown: ask again with the same idempotency key. ``replayed``: Stripe
    has remembered its own failure under this key and will answer nothing else to it; look up what it did.
    """

    def __init__(self, message: str, *, replayed: bool = False) -> None:
        super().__init__(message)
        self.replayed = replayed


class GatewayBusy(GatewayUnavailable):
    """As many people as may wait for Stripe at once do so already, which says nothing against Stripe."""


class GatewayRefused(GatewayError):
    """Stripe refused the request (4xx) and did nothing. ``code``: https://docs.stripe.com/error-codes.

    ``param``: what of the request it did not accept, as Stripe names it; empty where it names nothing.
    """

    def __init__(self, code: str, message: str, *, param: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.param = param


class GatewayDeclined(GatewayRefused):
    """The bank refused the payment, or first wants to hear from the person (402).

    https://docs.stripe.com/api/errors#errors-card_error
    """


class GatewayForbidden(GatewayRefused):
    """Stripe's key may not do this (403), and asking again changes nothing until somebody grants it.

    ``scope``: what a restricted key lacks, as Stripe names it, such as rak_invoice_read; empty where Stripe
    names none. https://docs.stripe.com/keys/restricted-api-keys
    """

    CODE = "forbidden"

    def __init__(self, message: str, *, scope: str = "") -> None:
        # Stripe's own words repeat part of the key.
        super().__init__(self.CODE, f"Stripe's key lacks the scope {scope}." if scope else message)
        self.scope = scope


class GatewayMissing(GatewayRefused):
    """There is no such object at Stripe."""


class InsideTransactionError(RuntimeError):
    """A call to Stripe may take seconds: no transaction, and so no lock, may be open meanwhile."""


class ForgedEventError(Exception):
    """A webhook that Stripe did not sign for us, or signed too long ago."""


class UnusableEventError(Exception):
    """A webhook that was signed for us, but that can't be read, can't be kept, or is of the other mode."""
