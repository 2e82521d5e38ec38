"""A restricted key: what it lacks is refused in Stripe's words."""

import pytest
import stripe

from stripe_simulator.control import Control, ControlError

Client = stripe.StripeClient


def test_a_lacking_permission_is_named(client: Client, control: Control) -> None:
    customer = client.v1.customers.create({"name": "Acme"})
    control.take_scopes("rak_invoice_read", "rak_subscription_write")
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.invoices.list({"customer": customer.id})
    assert refused.value.http_status == 403
    assert "does not have the required permissions for this endpoint" in str(refused.value)
    assert "Having the 'rak_invoice_read' permission would allow this request to continue." in str(
        refused.value
    )
    assert client.v1.subscriptions.list().data == []
    with pytest.raises(stripe.PermissionError, match="rak_subscription_write"):
        client.v1.subscriptions.cancel("sub_any")
    control.take_scopes()
    assert client.v1.invoices.list({"customer": customer.id}).data == []


def test_a_refusal_does_not_use_up_the_idempotency_key(client: Client, control: Control) -> None:
    control.take_scopes("rak_customer_write")
    with pytest.raises(stripe.PermissionError):
        client.v1.customers.create({"name": "Acme"}, {"idempotency_key": "a-key"})
    control.take_scopes()
    assert client.v1.customers.create({"name": "Acme"}, {"idempotency_key": "a-key"}).name == "Acme"


def test_an_unknown_permission_is_refused(control: Control) -> None:
    with pytest.raises(ControlError, match="rak_invoice_reed"):
        control.take_scopes("rak_invoice_reed")
