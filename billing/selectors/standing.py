"""How an organization stands with its payments, in one word: the worst of what there is to tell."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.invoice_states import InvoiceState
from billing.money import format_money
from billing.selectors.methods import Lack, MethodTrouble
from billing.subscription_states import SubscriptionState
from billing.upcoming import Upcoming
from orgs.dates import day

# The worst first.
TONES = ("bad", "warn", "")
LACKS: dict[Lack, Promise] = {
    Lack.TRIAL_ENDS: gettext_lazy("No card saved"),
    Lack.TRIAL_PAUSES: gettext_lazy("No card saved"),
    Lack.NO_METHOD: gettext_lazy("No card saved"),
    Lack.EXPIRED: gettext_lazy("Card expired"),
    Lack.EXPIRING: gettext_lazy("Card expiring"),
}


class UnpaidSum(NamedTuple):
    """Open invoices of one organization, currency and state.

    ``owed``: their sum, in minor units. ``first_due_at``: when the first is due; ``since``: when the oldest
    was issued.
    """

    organization: UUID
    currency: str
    state: str
    owed: int
    first_due_at: datetime | None
    since: datetime

    @property
    def is_overdue(self) -> bool:
        """Tried in vain, or late: not what is merely to be paid later."""
        return InvoiceState(self.state).tone == "bad"

    @property
    def is_owed(self) -> bool:
        """Whether the customer has to see to it: not while a payment is on its way."""
        return InvoiceState(self.state).is_owed

    @property
    def note(self) -> str:
        if self.is_overdue:
            return day(self.since)
        amount = format_money(self.owed, self.currency)
        if self.first_due_at is None:
            return amount
        return _("%(amount)s by %(day)s") % {"amount": amount, "day": day(self.first_due_at)}


class Standing(NamedTuple):
    """``tone``: one of TONES. ``calm``: there is nothing to tell. ``note``: of when, as people read it."""

    label: str
    tone: str = ""
    note: str = ""
    calm: bool = False

    @property
    def rank(self) -> int:
        return TONES.index(self.tone)

    @property
    def needs_attention(self) -> bool:
        return self.tone != ""


def standing_of(
    unpaid: Iterable[UnpaidSum], upcoming: list[Upcoming], troubles: Iterable[MethodTrouble]
) -> Standing:
    """Of one organization. Of what is equally bad, an invoice comes first, then a subscription."""
    told = [*_of_invoices(unpaid), *_of_subscriptions(upcoming), *_of_methods(troubles)]
    if told:
        return min(told, key=lambda standing: standing.rank)
    return Standing(_("All paid") if upcoming else _("No subscription"), calm=True)


def _of_invoices(unpaid: Iterable[UnpaidSum]) -> Iterator[Standing]:
    for one in unpaid:
        state = InvoiceState(one.state)
        yield Standing(str(state.label), state.tone, one.note)


def _of_subscriptions(upcoming: list[Upcoming]) -> Iterator[Standing]:
    for one in upcoming:
        if one.state.lacks_method:
            continue
        if one.state.tone in {"bad", "warn"} or one.state is SubscriptionState.UNKNOWN:
            yield Standing(str(one.state.label), one.state.tone, day(one.subscription.ends_at))


def _of_methods(troubles: Iterable[MethodTrouble]) -> Iterator[Standing]:
    for trouble in troubles:
        yield Standing(str(LACKS[trouble.lack]), "bad" if trouble.is_bad else "warn", day(trouble.day))
