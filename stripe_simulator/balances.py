"""What a customer's invoices start from, by currency (https://docs.stripe.com/invoicing/multi-currency-customers)."""

from typing import Any

from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def balance_of(customer: Json, currency: str) -> int:
    """What an invoice in this currency starts from; a balance pays nothing in another one."""
    return int(_balances(customer).get(currency, 0))


def set_currency(simulator: Simulator, customer: Json, currency: str) -> None:
    """Save the customer with a default currency, which is that of the balance it shows."""
    simulator.save({**customer, "currency": currency, "balance": balance_of(customer, currency)})


def set_balance(simulator: Simulator, customer: Json, currency: str, amount: int) -> None:
    """Save the customer with a balance in one currency, which becomes theirs if they had none."""
    customer["balances"] = {**_balances(customer), currency: amount}
    set_currency(simulator, customer, customer["currency"] or currency)


def _balances(customer: Json) -> Json:
    """By currency. The demo's data may be of an earlier version, which kept one balance for all."""
    found: Json = customer.get("balances", {customer["currency"]: customer["balance"]})
    return found
