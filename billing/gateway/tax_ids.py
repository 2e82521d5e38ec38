"""The types of tax ids that Stripe knows, by the description of its API that its library is made from."""

from typing import get_args

from stripe.params import CustomerTaxIdCreateParams

TAX_ID_TYPES: tuple[str, ...] = tuple(
    name
    for choice in get_args(CustomerTaxIdCreateParams.__annotations__["type"])
    for name in get_args(choice)
)
