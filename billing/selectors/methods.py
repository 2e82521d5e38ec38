"""What is saved to pay with: what each pays, and what another one would mend."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.methods import Method, MethodState
from billing.upcoming import Upcoming


class Lack(StrEnum):
    """Why another card is wanted soon. Pages word it."""

    TRIAL_ENDS = "trial_ends"
    TRIAL_PAUSES = "trial_pauses"
    NO_METHOD = "no_method"
    EXPIRED = "expired"
    EXPIRING = "expiring"


@dataclass(frozen=True)
class MethodTrouble:
    """What a newly saved card would mend. ``day``: when the trial or the method ends.

    ``next_charge_at``: of what it would pay.
    """

    lack: Lack
    day: datetime | None
    next_charge_at: datetime | None
    method: Method | None = None

    @property
    def is_bad(self) -> bool:
        return self.method is not None and self.method.is_urgent

    @property
    def lacks_method(self) -> bool:
        """Nothing is saved, rather than something that ends."""
        return self.lack in {Lack.NO_METHOD, Lack.TRIAL_ENDS, Lack.TRIAL_PAUSES}


@dataclass(frozen=True)
class UsedMethod:
    """``pays_for``: the subscriptions that it pays, where there are several."""

    method: Method
    pays_for: list[str]


def methods_in_use(upcoming: list[Upcoming], customer_pays: Method | None) -> list[Method]:
    """What pays the next charges, each once; without a subscription what would pay."""
    found = [one.pays for one in upcoming if one.state.charges] if upcoming else [customer_pays]
    return list({method.id: method for method in found if method is not None}.values())


def troubles_of(upcoming: list[Upcoming], in_use: list[Method], *, told: bool) -> list[MethodTrouble]:
    """``told``: the page already asks for another card, in place of one that can't pay."""
    found = [
        MethodTrouble(Lack(one.state), one.subscription.trial_end, None)
        for one in upcoming
        if one.state.lacks_method
    ]
    uncovered = next((one for one in upcoming if one.at and one.lacks_method), None)
    if uncovered is not None:
        found.append(MethodTrouble(Lack.NO_METHOD, None, uncovered.at))
    for method in in_use:
        if method.state is not MethodState.GOOD and not (told and method.state is MethodState.EXPIRED):
            paid = [one.at for one in upcoming if one.pays == method and one.at is not None]
            lack = Lack(method.state)
            found.append(MethodTrouble(lack, method.valid_until, min(paid, default=None), method))
    return sorted(found, key=lambda trouble: list(Lack).index(trouble.lack))


def used_methods(upcoming: list[Upcoming], customer_pays: Method | None) -> list[UsedMethod]:
    """What pays, each once; the customer's own also where nothing uses it now."""
    paying: dict[str, UsedMethod] = {}
    for one in upcoming:
        if one.pays is not None:
            paying.setdefault(one.pays.id, UsedMethod(one.pays, [])).pays_for.append(one.name)
    if customer_pays is not None:
        paying.setdefault(customer_pays.id, UsedMethod(customer_pays, []))
    return list(paying.values())
