"""People choose, change, undo, end and keep what they subscribe to."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from billing.endings import stamp
from billing.models import Subscription
from billing.operations.endings import cancel_subscription, keep_subscription
from billing.operations.plans import LATER, accept_offer, undo_change
from billing.operations.purchases import start_purchase
from billing.plans import PlannedChange, planned_changes
from billing.selectors import plan_page, seats_page
from orgs.models import Membership
from tests.billing.machine.at_stripe import PRICES
from tests.billing.machine.run import FEW, MISHAPS, NUMBERS, PICKS, Mishap, Run, Stage, of_customer

SOLD = ["team-growth", "enterprise-growth"]


class PeopleChangePlans(Run):
    """``offers``: what pages offered so far, and to whom."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.offers: list[tuple[Membership, str]] = []

    @rule(by_manager=st.booleans(), number=NUMBERS, mishap=MISHAPS)
    def buy(self, by_manager: bool, number: str | None, mishap: Mishap) -> None:
        price, person = self.price("team-growth-monthly"), self.person(by_manager)
        with self.befallen_by(mishap):
            self.open_page(
                start_purchase(actor=person, edition_code="team-growth", shown_price=price), number
            )

    @of_customer
    @rule(
        by_manager=st.booleans(), choice=st.sampled_from([*SOLD, *SOLD, 2, 5, 6]), pick=PICKS, mishap=MISHAPS
    )
    def change_plan(self, by_manager: bool, choice: str | int, pick: int, mishap: Mishap) -> None:
        """Look at an edition, or at a number of seats; press there, or on a page that was opened before."""
        for lookup_key in (*PRICES, "enterprise-growth-yearly"):
            self.price(lookup_key)
        reader = self.person(by_manager)
        page = (
            seats_page(reader, seats=choice)
            if isinstance(choice, int)
            else plan_page(reader, edition_code=choice)
        )
        if page.offered:
            self.offers.append((reader, page.offered.offer.sealed))
        if self.offers and pick < 6:
            reader, sealed = self.offers[-1 - pick % len(self.offers)]
            with self.befallen_by(mishap):
                accept_offer(actor=reader, sealed=sealed, stays=[LATER])

    @of_customer
    @precondition(lambda run: run.planned())
    @rule(by_manager=st.booleans(), mishap=MISHAPS)
    def press_undo(self, by_manager: bool, mishap: Mishap) -> None:
        with self.befallen_by(mishap):
            undo_change(actor=self.person(by_manager), schedule_id=self.planned()[0].schedule_id)

    def planned(self) -> list[PlannedChange]:
        return [one for row in Subscription.objects.current() for one in planned_changes(row)]

    @precondition(lambda run: Subscription.objects.current().exists())
    @rule(by_manager=st.booleans(), pick=FEW, keeps=st.booleans(), mishap=MISHAPS)
    def press_cancel_or_keep(self, by_manager: bool, pick: int, keeps: bool, mishap: Mishap) -> None:
        with self.befallen_by(mishap):
            self.cancel_or_keep_shown(self.person(by_manager), pick, keeps=keeps)

    def cancel_or_keep_shown(self, person: Membership, pick: int, *, keeps: bool) -> None:
        """A subscription that this person has on their page."""
        shown = Subscription.objects.current().order_by("created_at", "id")
        for subscription in shown[pick : pick + 1]:
            act = {"subscription_id": subscription.pk, "shown_end": stamp(subscription.period_end)}
            if keeps:
                keep_subscription(actor=person, **act)
            else:
                cancel_subscription(actor=person, feedback="unused", comment="", **act)
