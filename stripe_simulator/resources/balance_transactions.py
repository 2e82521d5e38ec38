"""What changed a customer's balance (https://docs.stripe.com/api/customer_balance_transactions)."""

from typing import Any

from stripe_simulator.balances import change_balance
from stripe_simulator.endpoints import endpoint
from stripe_simulator.errors import missing
from stripe_simulator.fields import apply, merged_metadata
from stripe_simulator.paging import page
from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


@endpoint("customers.balance_transactions.create", "amount currency description metadata")
def create(simulator: Simulator, params: Json, customer: str) -> Json:
    return change_balance(
        simulator,
        simulator.find("customer", customer),
        amount=params["amount"],
        currency=params["currency"].lower(),
        kind="adjustment",
        description=params.get("description"),
        metadata=merged_metadata({}, params.get("metadata")),
    )


@endpoint("customers.balance_transactions.retrieve")
def retrieve(simulator: Simulator, _params: Json, customer: str, identifier: str) -> Json:
    return _found(simulator, customer, identifier)


@endpoint("customers.balance_transactions.update", "description metadata")
def update(simulator: Simulator, params: Json, customer: str, identifier: str) -> Json:
    transaction = _found(simulator, customer, identifier)
    apply(transaction, params, "description")
    return simulator.save(transaction)


@endpoint("customers.balance_transactions.list", "created invoice")
def list_of_customer(simulator: Simulator, params: Json, customer: str) -> Json:
    simulator.find("customer", customer)
    url = f"/v1/customers/{customer}/balance_transactions"
    filters = {"customer": customer, "invoice": params.get("invoice")}
    return page(simulator.store, "customer_balance_transaction", url, params, filters=filters)


def _found(simulator: Simulator, customer: str, identifier: str) -> Json:
    transaction = simulator.find("customer_balance_transaction", identifier)
    if transaction["customer"] != customer:
        raise missing("customer_balance_transaction", identifier)
    return transaction
