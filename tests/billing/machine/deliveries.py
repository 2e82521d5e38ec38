"""What the workers do, and what is left to do when all is quiet."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from billing import tasks
from billing.models import StripeEvent, StripeOperation
from billing.webhooks import handle
from tests.billing.machine.at_stripe import AtStripe
from tests.billing.machine.run import MISHAPS, Mishap
from tests.billing.mishaps import let_waits_end


class Deliveries(AtStripe):
    @rule(picks=st.lists(st.integers(0, 40), min_size=1, max_size=4), mishap=MISHAPS)
    def deliver(self, picks: list[int], mishap: Mishap) -> None:
        """Some events, the latest have the smallest numbers; in any order, and more than once."""
        events = self.events()[::-1]
        for pick in picks if events else []:
            event = events[pick % len(events)]
            self.put_in(event)
            with self.befallen_by(mishap):
                handle(event["id"])

    @rule(mishap=MISHAPS)
    def sweep(self, mishap: Mishap) -> None:
        let_waits_end()
        with self.befallen_by(mishap):
            tasks.sweep()

    @rule(mishap=MISHAPS)
    def reconcile(self, mishap: Mishap) -> None:
        let_waits_end()
        with self.befallen_by(mishap):
            tasks.reconcile_due()

    def come_to_rest(self) -> None:
        """Pages that were left open close; what was withheld is delivered, the latest first; all is done."""
        self.let_time_pass(hours=3)
        for _round in range(8):
            let_waits_end()
            self.hear_all()
            if not self._is_something_left():
                return

    def _is_something_left(self) -> bool:
        late = {event["id"] for event in self.events()} - self.delivered
        unfinished = StripeOperation.objects.filter(StripeOperation.unfinished)
        return bool(late) or unfinished.exists() or StripeEvent.objects.due().exists()
