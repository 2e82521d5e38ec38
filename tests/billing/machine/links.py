"""People make, use and revoke payment links."""

import uuid

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from billing.operations.payment_links import (
    LinkEnded,
    ask_for_new_link,
    make_card_link,
    make_invoice_link,
    open_link,
    revoke_link,
)
from billing.selectors import payment_link, payment_links_page
from tests.billing.machine.run import MISHAPS, NUMBERS, PICKS, Mishap, Run, Stage


class HoldersOfLinks(Run):
    """``links``: all that were sent to somebody."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.links: list[uuid.UUID] = []

    @rule(by_manager=st.booleans(), pays=st.booleans(), mishap=MISHAPS)
    def make_link(self, by_manager: bool, pays: bool, mishap: Mishap) -> None:
        """To pay an invoice, or else to save a card."""
        maker = self.person(by_manager)
        invoices = payment_links_page(maker.organization).invoices if pays else []
        with self.befallen_by(mishap):
            link = (
                make_invoice_link(actor=maker, invoice_id=invoices[0].pk)
                if invoices
                else make_card_link(actor=maker)
            )
            self.links.append(link.pk)

    @precondition(lambda run: run.links)
    @rule(pick=PICKS, number=NUMBERS, mishap=MISHAPS)
    def press_on_link(self, pick: int, number: str | None, mishap: Mishap) -> None:
        """Of one that opens nothing any more, a new one is asked for."""
        link = payment_link(self.links[-1 - pick % len(self.links)])
        with self.befallen_by(mishap):
            try:
                self.open_page(open_link(link), number)
            except LinkEnded:
                ask_for_new_link(link)

    @precondition(lambda run: run.links)
    @rule(by_manager=st.booleans(), pick=PICKS, mishap=MISHAPS)
    def press_revoke(self, by_manager: bool, pick: int, mishap: Mishap) -> None:
        with self.befallen_by(mishap):
            revoke_link(actor=self.person(by_manager), link_id=self.links[-1 - pick % len(self.links)])
