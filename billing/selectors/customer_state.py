"""How one organization stands as a customer, for programs."""

from dataclasses import dataclass
from datetime import datetime

from billing.invoice_states import InvoiceState
from billing.models import Invoice, Subscription
from billing.selectors.accounts import account_of
from billing.selectors.customers import unpaid_sums
from billing.selectors.methods import MethodTrouble, methods_in_use, troubles_of
from billing.selectors.overview import upcoming_of_account
from billing.selectors.standing import TONES, UnpaidSum
from billing.upcoming import NextCharge, Upcoming, next_charges_of
from orgs.models import Organization


@dataclass(frozen=True)
class AccountState:
    """``as_of``: when the mirror was last known to be right, None before there is any."""

    unpaid: list[UnpaidSum]
    upcoming: list[Upcoming]
    troubles: list[MethodTrouble]
    as_of: datetime | None

    @property
    def next_charges(self) -> list[NextCharge]:
        return next_charges_of(self.upcoming)

    @property
    def reasons(self) -> dict[str, str]:
        """What there is to tell, as codes, each with its tone: of invoices, subscriptions and methods."""
        told = {one.state: InvoiceState(one.state).tone for one in self.unpaid}
        told |= {one.state.value: one.state.tone for one in self.upcoming}
        told |= {one.lack.value: "bad" if one.is_bad else "warn" for one in self.troubles}
        return {code: tone for code, tone in told.items() if tone in {"bad", "warn"}}

    @property
    def tone(self) -> str:
        """The worst of them."""
        return min(self.reasons.values(), key=TONES.index, default="")


def account_state(organization: Organization) -> AccountState:
    """In three statements."""
    account = account_of(organization.pk)
    current = Subscription.objects.for_org(organization).current()
    upcoming = upcoming_of_account(current.order_by("period_end", "created_at", "id"), account)
    in_use = methods_in_use(upcoming, account.pays if account else None)
    unpaid = unpaid_sums(Invoice.objects.for_org(organization).open())
    return AccountState(
        unpaid=[UnpaidSum(*row) for row in unpaid],
        upcoming=upcoming,
        troubles=troubles_of(upcoming, in_use, told=False),
        as_of=account.as_of if account else None,
    )
