"""*Change plan* and *Change seats*: what there is to choose, and what the choice costs.

What a choice costs is asked of Stripe while the person waits; without an answer the pages say so.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from billing import gateway
from billing.models import SUBSCRIPTION_CHANGES, StripeOperation, Subscription
from billing.offers import Offer, offers_of
from billing.plan_offers import ItemPrice, Offered, ask_for_offer
from billing.plans import (
    Obstacle,
    Plan,
    PlannedChange,
    obstacle_to_change,
    plan_of,
    planned_changes,
)
from billing.selectors.accounts import account_of
from billing.selectors.seats import Seats, seats_of
from billing.upcoming import Upcoming, upcoming_of
from invitations.selectors import SurplusInvitations, billing_managers_panel, surplus_invitations
from orgs.currencies import in_minor_units
from orgs.editions import Edition, Pricing, sold_editions
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import REMOVE_PERMISSIONS, Permission, Role, may
from usage.selectors import usage_of_days

MOST_SEATS = 10_000
HOURS_OF_A_MONTH = 730


@dataclass(frozen=True)
class EditionCard:
    """``more_managers``: it has room for more billing managers than the present edition."""

    offer: Offer
    is_current: bool
    more_managers: bool


@dataclass(frozen=True)
class UsageEstimate:
    """What a month of the resources counted now costs, by our own count, in cents before tax."""

    resources: int
    amount: int


@dataclass(frozen=True)
class ManagerChoice:
    """``email``: empty for those who may not see it."""

    membership_id: str
    name: str
    email: str
    since: datetime


@dataclass(frozen=True)
class Question:
    """Not all billing managers fit the edition to come. ``managers``: empty for who may not remove them."""

    limit: int
    taken: int
    managers: list[ManagerChoice]


@dataclass(frozen=True, kw_only=True)
class PlanChangePage:
    """``trouble``: why there is no offer though one was asked for. ``upcoming``: without any change.

    ``surplus``: the invitations that end when the change counts; None: no edition is chosen.
    """

    plan: Plan | None
    obstacle: Obstacle | None
    upcoming: Upcoming | None
    cards: list[EditionCard] = field(default_factory=list)
    seats: Seats | None = None
    chosen: Edition | None = None
    chosen_seats: int | None = None
    offered: Offered | None = None
    question: Question | None = None
    surplus: SurplusInvitations | None = None
    estimate: UsageEstimate | None = None
    trouble: str = ""

    @property
    def planned(self) -> list[PlannedChange]:
        """What gives way to a change that counts later."""
        return planned_changes(self.plan.subscription) if self.plan else []

    @property
    def shown_seats(self) -> int | None:
        """What stands in the field."""
        return self.chosen_seats or (self.plan.seats if self.plan else None)

    @property
    def most_seats(self) -> int:
        return MOST_SEATS

    @property
    def least_seats(self) -> int:
        return max(1, self.seats.taken + self.seats.reserved) if self.seats else 1

    @property
    def lacks_method(self) -> bool:
        """Something would have to be charged, and nothing is saved that could."""
        charged = self.offered is not None and self.offered.offer.amount_due > 0
        return charged and self.upcoming is not None and self.upcoming.lacks_method


def plan_page(reader: Membership, *, edition_code: str = "") -> PlanChangePage:
    """``edition_code``: what the person has chosen, "" before they do. What isn't sold isn't chosen."""
    plan, obstacle, upcoming = _standing(reader)
    own = plan.edition if plan else reader.organization.edition
    sold = sold_editions(on=timezone.now().date())
    offers = offers_of(dict.fromkeys([own, *sold]))
    chosen = next((one for one in offers if one.edition.code == edition_code and one.edition != own), None)
    offered, question, trouble = None, None, ""
    if chosen is not None and obstacle is None and plan is not None:
        question = _question(reader, chosen.edition)
        try:
            with gateway.person_waits():
                offered = _offer(reader, plan, chosen, question)
        except Refused as refused:
            trouble = str(refused.message)
        except gateway.GatewayError as error:
            trouble = without_stripe(error)
    return PlanChangePage(
        plan=plan,
        obstacle=obstacle,
        upcoming=upcoming,
        cards=[_card(one, own) for one in offers],
        chosen=chosen.edition if chosen else None,
        offered=offered,
        question=question,
        surplus=surplus_invitations(reader, chosen.edition) if offered and chosen else None,
        estimate=_estimate(reader, chosen.edition) if offered and chosen else None,
        trouble=trouble,
    )


def seats_page(reader: Membership, *, seats: int | None = None) -> PlanChangePage:
    """``seats``: what the person has chosen, None before they do. For an edition that sells seats."""
    plan, obstacle, upcoming = _standing(reader)
    counted = seats_of(reader, billing_managers_panel(reader))
    page = PlanChangePage(plan=plan, obstacle=obstacle, upcoming=upcoming, seats=counted, chosen_seats=seats)
    if plan is None or plan.seats is None or obstacle is not None:
        return page
    if seats is None or seats == plan.seats:
        return page
    offered, trouble = None, ""
    if not page.least_seats <= seats <= MOST_SEATS:
        trouble = _("Choose from %(least)s to %(most)s seats.") % {
            "least": page.least_seats,
            "most": MOST_SEATS,
        }
    else:
        try:
            with gateway.person_waits():
                offered = ask_for_offer(
                    reader, plan, plan.edition, seats=seats, price=_own_price(plan), managers=[]
                )
        except Refused as refused:
            trouble = str(refused.message)
        except gateway.GatewayError as error:
            trouble = without_stripe(error)
    return PlanChangePage(
        plan=plan,
        obstacle=obstacle,
        upcoming=upcoming,
        seats=counted,
        chosen_seats=seats,
        offered=offered,
        trouble=trouble,
    )


def _standing(reader: Membership) -> tuple[Plan | None, Obstacle | None, Upcoming | None]:
    organization = reader.organization
    plan = plan_of(Subscription.objects.for_org(organization).current())
    operations = StripeOperation.objects.for_org(organization).pending()
    obstacle = obstacle_to_change(
        plan, is_under_way=operations.filter(kind__in=SUBSCRIPTION_CHANGES).exists()
    )
    if plan is None:
        return None, obstacle, None
    account = account_of(organization.pk)
    pays = account.pays if account else None
    return plan, obstacle, upcoming_of(plan.subscription, customer_pays=pays, confirmed_at=None)


def _own_price(plan: Plan) -> ItemPrice:
    """Seats are bought at the price that the subscription has, whatever is sold by now."""
    item = plan.item
    return ItemPrice(item["price_id"], plan.subscription.currency, item["interval"], item["metered"])


def _offer(reader: Membership, plan: Plan, chosen: Offer, question: Question | None) -> Offered:
    price = chosen.price
    if price is None:
        raise Refused(
            _("%(edition)s can't be bought right now. Ask support.") % {"edition": chosen.edition.name}
        )
    managers = [choice.membership_id for choice in question.managers] if question else []
    bought_at = ItemPrice(price.stripe_id, price.currency, price.interval, price.metered)
    return ask_for_offer(reader, plan, chosen.edition, seats=None, price=bought_at, managers=managers)


def _question(reader: Membership, edition: Edition) -> Question | None:
    """Which billing managers stay, where the edition has room for fewer than there are."""
    if edition.billing_managers is None:
        return None
    managers = Membership.objects.for_org(reader.organization).billing_managers().select_related("user")
    found = list(managers.order_by("joined_at", "id"))
    if len(found) <= edition.billing_managers:
        return None
    sees_mails = may(reader, Permission.BILLING_MANAGERS_LIST_MAILS)
    removes = may(reader, REMOVE_PERMISSIONS[Role.BILLING_MANAGER])
    choices = [
        ManagerChoice(str(one.pk), one.user.name, one.user.email if sees_mails else "", one.joined_at)
        for one in found
    ]
    return Question(edition.billing_managers, len(found), choices if removes else [])


def _estimate(reader: Membership, edition: Edition) -> UsageEstimate | None:
    """Of an edition that is sold by use alone; None where nothing is counted yet."""
    if edition.pricing is not Pricing.USAGE or edition.credit_price is None:
        return None
    tomorrow = timezone.now().date() + timedelta(days=1)
    _used, now = usage_of_days(reader.organization_id, tomorrow, tomorrow)
    if now is None:
        return None
    beyond = max(0, now.resources * HOURS_OF_A_MONTH - edition.free_credits)
    return UsageEstimate(now.resources, in_minor_units(beyond * edition.credit_price, "usd"))


def _card(offer: Offer, own: Edition) -> EditionCard:
    most, now = offer.edition.billing_managers, own.billing_managers
    return EditionCard(
        offer=offer,
        is_current=offer.edition == own,
        more_managers=now is not None and (most is None or most > now),
    )


def without_stripe(error: gateway.GatewayError) -> str:
    """Why there are no amounts to show."""
    if isinstance(error, gateway.GatewayBusy):
        return _("Other people wait for Stripe right now. Try again in a moment.")
    if isinstance(error, gateway.GatewayUnavailable):
        return _("Stripe does not answer right now, so no amounts can be shown. Try again in a minute.")
    return _("Stripe could not work out the amounts. Ask support if this lasts.")
