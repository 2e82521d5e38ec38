"""What a customer's invoices start from, by currency, and what changed it.

A balance below zero is a credit, which the next invoice in its currency uses up
(https://docs.stripe.com/invoicing/multi-currency-customers, https://docs.stripe.com/billing/customer/balance).
"""

from typing import Any

from stripe_simulator.simulator import Simulator

Json = dict[str, Any]


def balance_of(customer: Json, currency: str) -> int:
    """What an invoice in this currency starts from; a balance pays nothing in another one."""
    return int(_balances(customer).get(currency, 0))


def set_currency(simulator: Simulator, customer: Json, currency: str) -> None:
    """Save the customer with a default currency, which is that of the balance it shows."""
    simulator.save({**customer, "currency": currency, "balance": balance_of(customer, currency)})


def change_balance(
    simulator: Simulator, customer: Json, *, amount: int, currency: str, kind: str, **given: Any
) -> Json:
    """Save a transaction and the balance that it leaves; `given` are fields of the transaction.

    The currency becomes the customer's if they had none.
    """
    ending = balance_of(customer, currency) + amount
    transaction = simulator.new(
        "customer_balance_transaction",
        "cbtxn",
        **{
            "amount": amount,
            "checkout_session": None,
            "credit_note": None,
            "currency": currency,
            "customer": customer["id"],
            "customer_account": None,
            "description": None,
            "ending_balance": ending,
            "invoice": None,
            "metadata": {},
            "type": kind,
            **given,
        },
    )
    customer["balances"] = {**_balances(customer), currency: ending}
    customer["currency"] = customer["currency"] or currency
    customer["balance"] = balance_of(customer, customer["currency"])
    simulator.save(customer, "customer.updated")
    return simulator.save(transaction)


def _balances(customer: Json) -> Json:
    """By currency. The demo's data may be of an earlier version, which kept one balance for all."""
    found: Json = customer.get("balances", {customer["currency"]: customer["balance"]})
    return found
