"""What a restricted API key may do (https://docs.stripe.com/keys/restricted-api-keys)."""

from stripe_simulator.endpoints import ENDPOINTS, Endpoint
from stripe_simulator.errors import StripeError
from stripe_simulator.simulator import Simulator

RESOURCES = {
    "charges": "charge",
    "checkout.sessions": "checkout_session",
    "credit_notes": "credit_note",
    "credit_notes.line_items": "credit_note",
    "customers": "customer",
    "customers.balance_transactions": "customer",
    "customers.payment_methods": "payment_method",
    "customers.payment_sources": "source",
    "customers.tax_ids": "tax_id",
    "events": "event",
    "invoice_payments": "invoice",
    "invoices.line_items": "invoice",
    "invoice_items": "invoice",
    "invoices": "invoice",
    "payment_intents": "payment_intent",
    "payment_methods": "payment_method",
    "prices": "plan",
    "products": "product",
    "refunds": "charge",
    "setup_attempts": "setup_intent",
    "setup_intents": "setup_intent",
    "sources": "source",
    "subscription_items": "subscription",
    "subscription_schedules": "subscription",
    "subscriptions": "subscription",
}
"""What a permission calls the resources of a service, where it isn't the service's own name."""
ACCOUNT = "acct_simulator"


def permission_of(endpoint: Endpoint) -> str:
    service = endpoint.call.rpartition(".")[0]
    resource = RESOURCES.get(service, service.rpartition(".")[2].removesuffix("s"))
    return f"rak_{resource}_{'read' if endpoint.method == 'GET' else 'write'}"


def all_permissions() -> set[str]:
    return {permission_of(endpoint) for endpoint in ENDPOINTS}


def require_permission(simulator: Simulator, endpoint: Endpoint) -> None:
    """Raises StripeError 403 for what the key may not do."""
    permission = permission_of(endpoint)
    if permission not in simulator.store.setting("lacking_permissions", []):
        return
    key = f"rk_test_{'*' * 93}{simulator.api_key[-6:]}"
    raise StripeError(
        f"The provided key '{key}' does not have the required permissions for this endpoint on account "
        f"'{ACCOUNT}'. Having the '{permission}' permission would allow this request to continue.",
        status=403,
    )
