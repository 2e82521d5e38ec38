"""Customers, and what invoices say of them."""

from dataclasses import dataclass, field

from billing.gateway.records.methods import PaymentMethod, SavedMethod


@dataclass(frozen=True, kw_only=True)
class Address:
    """``country``: ISO 3166 code of two letters. Each is empty where it isn't known."""

    line1: str
    line2: str
    postal_code: str
    city: str
    state: str
    country: str


@dataclass(frozen=True, kw_only=True)
class TaxId:
    """``status``: what Stripe found in the register: verified, pending, unverified, unavailable; or empty."""

    id: str
    type: str
    value: str
    status: str


@dataclass(frozen=True, kw_only=True)
class CustomField:
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Party:
    """To whom an invoice is billed."""

    name: str
    address: Address
    tax_ids: list[str]


@dataclass(frozen=True, kw_only=True)
class Customer:
    """``pays``: the default payment method, else the default source. ``methods``: all that are attached.

    ``fields``: what coming invoices say beside. ``locale``: the language they are in, empty: none was chosen.
    """

    id: str
    deleted: bool
    name: str
    email: str
    address: Address
    tax_ids: list[TaxId]
    fields: list[CustomField]
    locale: str
    pays: SavedMethod | None
    methods: list[PaymentMethod] = field(default_factory=list)
