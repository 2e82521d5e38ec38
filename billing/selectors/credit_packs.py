"""*Buy credits*: what a pack costs, and what so many of them come to by Stripe's word."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing import gateway
from billing.credit_offers import OfferedCredits, ask_for_credit_offer
from billing.credit_sales import Sale, sale_to
from billing.models import Subscription
from billing.paying import charged_customer
from billing.selectors.accounts import account_of
from billing.selectors.plan_changes import without_stripe
from billing.upcoming import Upcoming, upcoming_of
from orgs.errors import Refused
from orgs.models import Membership

MOST_PACKS = 1_000


@dataclass(frozen=True, kw_only=True)
class CreditPacksPage:
    """``packs``: as chosen, 1 before. ``trouble``: why there is no offer though there should be one.

    ``upcoming``: of the subscription, whose method pays.
    """

    sale: Sale | None = None
    upcoming: Upcoming | None = None
    packs: int = 1
    offered: OfferedCredits | None = None
    trouble: str = ""

    @property
    def most_packs(self) -> int:
        return MOST_PACKS

    @property
    def by_invoice(self) -> bool:
        return self.upcoming is not None and self.upcoming.by_invoice

    @property
    def lacks_method(self) -> bool:
        return self.upcoming is not None and self.upcoming.lacks_method


def credit_packs_page(reader: Membership, *, packs: int | None = 1) -> CreditPacksPage:
    """For an edition that is prepaid. ``packs``: None where what was typed is no number."""
    organization = reader.organization
    try:
        sale = sale_to(organization, Subscription.objects.for_org(organization).current())
    except Refused as refused:
        return CreditPacksPage(trouble=str(refused.message))
    account = account_of(organization.pk)
    pays = account.pays if account else None
    upcoming = upcoming_of(sale.subscription, customer_pays=pays, confirmed_at=None)
    if packs is None or not 1 <= packs <= MOST_PACKS:
        trouble = _("Choose from %(least)s to %(most)s packs.") % {"least": 1, "most": f"{MOST_PACKS:,}"}
        return CreditPacksPage(sale=sale, upcoming=upcoming, trouble=trouble)
    offered, trouble = None, ""
    if not upcoming.lacks_method:
        try:
            with gateway.person_waits():
                offered = ask_for_credit_offer(
                    reader,
                    sale,
                    packs=packs,
                    customer_id=charged_customer(account),
                    method_id=upcoming.pays.id if upcoming.pays else "",
                )
        except gateway.GatewayError as error:
            trouble = without_stripe(error)
    return CreditPacksPage(sale=sale, upcoming=upcoming, packs=packs, offered=offered, trouble=trouble)
