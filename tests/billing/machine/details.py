"""People change what their invoices say of them."""

from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from billing.details import details_of
from billing.operations.details import add_tax_id, remove_tax_id, update_details
from orgs.services import Change
from tests.billing.machine.run import MISHAPS, PICKS, Mishap, Run, Stage, of_customer

NO_ADDRESS = dict.fromkeys(("line1", "line2", "postal_code", "city", "state", "country"), "")
WANTED: list[dict[str, Any]] = [
    {"name": "Acme Robotics GmbH"},
    {"name": "Acme Robotics AG", "email": "invoices@acme.test"},
    {"email": ""},
    {"address": {**NO_ADDRESS, "line1": "1 Main St", "city": "Berlin", "country": "DE"}},
    {"address": NO_ADDRESS},
    {"po_number": "PO 7", "locale": "de"},
    {"po_number": ""},
    {"copies_to": ["list@acme.test"]},
]
TAX_IDS = [
    ("eu_vat", "DE123456789"),
    ("eu_vat", "DE000000000"),
    ("gb_vat", "nonsense"),
    ("us_ein", "12-3456789"),
]


class PeopleAndDetails(Run):
    """``seen``: the details, and ``tax_ids``: Stripe's ids of them, as pages showed them so far."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.seen: list[dict[str, Any]] = []
        self.tax_ids: list[str] = []

    @of_customer
    @rule(by_manager=st.booleans(), wanted=st.sampled_from(WANTED), pick=PICKS, mishap=MISHAPS)
    def save_details(self, by_manager: bool, wanted: dict[str, Any], pick: int, mishap: Mishap) -> None:
        """In the form as it is now, or in one that was left open."""
        self.seen.append(details_of(self.account))
        seen = self.seen[-1 - pick % len(self.seen)]
        changes = {name: Change(seen[name], value) for name, value in wanted.items()}
        with self.befallen_by(mishap):
            update_details(actor=self.person(by_manager), changes=changes)

    @of_customer
    @rule(by_manager=st.booleans(), tax_id=st.sampled_from(TAX_IDS), mishap=MISHAPS)
    def save_tax_id(self, by_manager: bool, tax_id: tuple[str, str], mishap: Mishap) -> None:
        type_, value = tax_id
        with self.befallen_by(mishap):
            add_tax_id(actor=self.person(by_manager), type_=type_, value=value)

    @of_customer
    @rule(by_manager=st.booleans(), pick=PICKS, mishap=MISHAPS)
    def take_tax_id(self, by_manager: bool, pick: int, mishap: Mishap) -> None:
        self.tax_ids += [one["id"] for one in self.account.tax_ids]
        if self.tax_ids:
            # One that is gone by now is not found.
            with self.befallen_by(mishap), suppress(LookupError):
                remove_tax_id(
                    actor=self.person(by_manager), tax_id=self.tax_ids[-1 - pick % len(self.tax_ids)]
                )
