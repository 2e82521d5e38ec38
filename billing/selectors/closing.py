"""What an admin reads before the organization closes, and until it is closed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise

from billing.closings import StillOwed, ended_by_closing, still_owed, version_shown
from billing.paying import charged_customer
from billing.selectors.accounts import account_of
from billing.selectors.endings import EndingPage, ending_pages
from invitations.models import Invitation
from orgs.closing import DAYS_TO_UNDO
from orgs.models import Membership
from tokens.models import AccessToken


@dataclass(frozen=True)
class ClosingPage:
    """``last_day``: the last one, in UTC, on which it can be undone. ``shown``: what the form carries.

    ``subscriptions``: those that haven't ended. ``obstacle``: why it can't be closed yet. ``ended``:
    Stripe's ids of those that the closing has let end, and undoing it keeps. ``charges_use``: without any,
    what is used beyond free credits is charged. ``is_lost``: the
    closing let a subscription end that has ended, so that undoing it keeps none. ``contact``: to whom Stripe
    goes on writing.
    """

    last_day: date
    people: int
    invitations: int
    tokens: int
    subscriptions: list[EndingPage]
    charges_use: bool
    owed: list[StillOwed]
    contact: str
    obstacle: Promise | None
    ended: set[str]
    is_lost: bool
    shown: str
    as_of: datetime | None


def closing_page(membership: Membership) -> ClosingPage:
    organization = membership.organization
    subscriptions = ending_pages(membership)
    account, owed = account_of(organization.pk), still_owed(organization)
    has_customer = bool(charged_customer(account))
    obstacles = [one.ending.reason for one in subscriptions if one.subscription.ends_at is None]
    ids = {one.subscription.stripe_id for one in subscriptions}
    ended = ended_by_closing(organization) if organization.is_closing else set()
    return ClosingPage(
        last_day=organization.closes_after or timezone.now().date() + timedelta(days=DAYS_TO_UNDO),
        people=Membership.objects.for_org(organization).count(),
        invitations=Invitation.objects.for_org(organization).pending().count(),
        tokens=AccessToken.objects.for_org(organization).live().count(),
        subscriptions=subscriptions,
        charges_use=not subscriptions and organization.edition.credit_price is not None and has_customer,
        owed=owed,
        contact=account.email if account else "",
        obstacle=next(filter(None, obstacles), None),
        ended=ended,
        is_lost=bool(ended) and not ended & ids,
        shown=version_shown([one.subscription for one in subscriptions], owed),
        as_of=account.as_of if account else None,
    )
