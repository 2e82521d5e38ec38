"""Where Stripe's dashboard shows what is only an id here."""

from billing import gateway

ADDRESS = "https://dashboard.stripe.com"
# By what an id begins with.
FOLDERS = {
    "cus": "customers",
    "evt": "events",
    "in": "invoices",
    "pm": "payment_methods",
    "price": "prices",
    "sub": "subscriptions",
}


def dashboard_url(stripe_id: str) -> str:
    """Of an object, in the mode that our key is for; "" for an id of another kind."""
    folder = FOLDERS.get(stripe_id.partition("_")[0])
    if folder is None:
        return ""
    mode = "" if gateway.is_live() else "/test"
    return f"{ADDRESS}{mode}/{folder}/{stripe_id}"
