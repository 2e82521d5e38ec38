"""People add, choose and remove what pays, here and on Stripe's pages."""

import uuid
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from billing import tasks
from billing.models import OperationKind, PaymentMethod, StripeOperation
from billing.operations.cards import start_card_setup
from billing.operations.methods import choose_method, remove_method
from billing.selectors.saved_methods import methods_page
from orgs.models import Membership
from tests.billing.machine.run import MISHAPS, NUMBERS, PICKS, Mishap, Run, Stage, of_customer


class PeopleAndMethods(Run):
    """``rows``: of *Payment methods*, as pages showed them so far: the method, and the page's version."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.rows: list[tuple[uuid.UUID, str]] = []

    @rule(
        by_manager=st.booleans(),
        kind=st.sampled_from([OperationKind.SET_UP_CARD, OperationKind.ADD_METHOD]),
        number=NUMBERS,
        mishap=MISHAPS,
    )
    def save_card(self, by_manager: bool, kind: OperationKind, number: str | None, mishap: Mishap) -> None:
        with self.befallen_by(mishap):
            self.open_page(start_card_setup(actor=self.person(by_manager), kind=kind), number)

    @of_customer
    @rule(by_manager=st.booleans(), removes=st.booleans(), pick=PICKS, mishap=MISHAPS)
    def choose_or_remove(self, by_manager: bool, removes: bool, pick: int, mishap: Mishap) -> None:
        with self.befallen_by(mishap), suppress(PaymentMethod.DoesNotExist):
            self.choose_or_remove_shown(self.person(by_manager), pick, removes=removes)

    def choose_or_remove_shown(self, person: Membership, pick: int, *, removes: bool) -> None:
        """One of those on the page as it is now, or on one that was left open."""
        page = methods_page(person.organization)
        self.rows += [(row.id, page.version) for row in page.rows if row.id is not None]
        if self.rows:
            method_id, shown = self.rows[-1 - pick % len(self.rows)]
            act = remove_method if removes else choose_method
            act(actor=person, method_id=method_id, shown=shown)

    # At Stripe's pages

    @precondition(lambda run: run.pages)
    @rule(pick=PICKS, number=NUMBERS.filter(bool))
    def enter_card(self, pick: int, number: str) -> None:
        """To save it, or to pay with it."""
        self.enter(self.pages[-1 - pick % len(self.pages)], number)

    @precondition(lambda run: run.questions)
    @rule(pick=PICKS, succeeds=st.booleans())
    def answer_bank(self, pick: int, succeeds: bool) -> None:
        self.stripe.control.authenticate(self.questions[-1 - pick % len(self.questions)], succeed=succeeds)

    @precondition(lambda run: run.pages)
    @rule(pick=PICKS, mishap=MISHAPS)
    def come_back(self, pick: int, mishap: Mishap) -> None:
        """The return page asks the worker to go on."""
        operations = list(StripeOperation.objects.order_by("-created_at").values_list("pk", flat=True))
        if operations:
            with self.befallen_by(mishap):
                tasks.resume_operations(str(operations[pick % len(operations)]))
