"""A customer that was paid for in a second organization, made by mistake, moves to the right one.

Nothing changes at Stripe: only whose the customer is here, with its subscriptions, invoices and what is saved
to pay with. What is asked for and heard of meanwhile is given up by its own rules, since the account has
another customer by then; comparing with Stripe afterwards makes that good.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from billing.actions import CUSTOMER_MOVED_AWAY, CUSTOMER_MOVED_HERE
from billing.credit_periods import let_credits_follow
from billing.mirror.subscriptions import let_terms_follow
from billing.models import (
    BillingAccount,
    Invoice,
    OperationKind,
    PaymentLink,
    PaymentMethod,
    StripeCustomer,
    StripeOperation,
    Subscription,
)
from billing.models.operations import UNFINISHED
from billing.tasks import reconcile_due
from credits.models import OnDemandCharge
from orgs.acting import OrganizationPrincipal, acting
from orgs.editions import STARTING_EDITION
from orgs.errors import PageOutdated, Refused
from orgs.models import Organization
from orgs.policy import Permission
from orgs.terms import follow_subscription
from work.doorbell import ring


@dataclass(frozen=True)
class Move:
    """What a move would do.

    ``invoices``: of each currency how many were issued, and their totals in minor units.
    ``obstacles``: sentences that say what stands in the way, and what to do; empty: it can be done.
    """

    source: Organization
    target: Organization
    customer_id: str
    subscriptions: list[Subscription]
    invoices: list[tuple[str, int, int]]
    methods: int
    obstacles: list[str]

    @property
    def fingerprint(self) -> str:
        """For a form to send back, so that exactly what its page showed is done."""
        parts = [
            [str(self.source.pk), str(self.target.pk), self.customer_id, self.methods],
            [[one.stripe_id, one.status] for one in self.subscriptions],
            self.invoices,
            self.obstacles,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def plan_move(source: Organization, target: Organization) -> Move:
    """What moving the customer of one organization to another would do, by what is known now."""
    account = BillingAccount.objects.filter(organization=source).first()
    by_currency = Invoice.objects.for_org(source).issued().order_by("currency").values("currency")
    summed = by_currency.annotate(count=Count("id"), sum=Sum("total"))
    return Move(
        source=source,
        target=target,
        customer_id=(account and account.stripe_customer_id) or "",
        subscriptions=list(Subscription.objects.for_org(source).order_by("created_at", "id")),
        invoices=list(summed.values_list("currency", "count", "sum")),
        methods=PaymentMethod.objects.for_org(source).count(),
        obstacles=list(_obstacles(source, target, account)),
    )


def _obstacles(source: Organization, target: Organization, account: BillingAccount | None) -> Iterator[str]:
    if source.pk == target.pk:
        yield _("Both are the same organization. Choose another one.")
    if account is None or not account.has_customer:
        yield _("The first organization has no customer at Stripe, so there is nothing to move.")
    if source.closed_at is not None or target.closed_at is not None:
        yield _("One of them is closed. Nothing moves out of it or into it.")
    if Subscription.objects.for_org(target).current().exists():
        yield _(
            "The second organization has a subscription that goes on. Cancel one of both at Stripe first."
        )
    both = StripeOperation.objects.filter(organization__in=[source, target])
    if both.filter(UNFINISHED).exists():
        yield _("Something is asked of Stripe for one of them. Wait until it has ended, or give it up.")
    if StripeCustomer.objects.for_org(source).count() > 1:
        yield _("The first organization had another customer before. Ask the developers to move it.")
    # Also of one that came to nothing: its invoice may still be paid, and brings the credits then.
    bought = StripeOperation.objects.for_org(source).filter(kind=OperationKind.BUY_CREDITS)
    if bought.exclude(stripe_id="").exists() or OnDemandCharge.objects.for_org(source).exists():
        yield _("Credits were bought or charged in the first organization. Ask the developers to move it.")
    if PaymentLink.objects.for_org(source).live().exists():
        yield _("A payment link of the first organization is open. Ask its maker to revoke it.")


def move_customer(*, source: OrganizationPrincipal, target: OrganizationPrincipal, shown: str) -> Move:
    """Move the customer. ``source``, ``target``: the same somebody in both organizations.

    ``shown``: the fingerprint of the dry run. Raises Denied, PageOutdated and Refused.
    """
    in_order = sorted([source, target], key=lambda principal: principal.organization_id)
    with acting(in_order[0], Permission.CUSTOMERS_MERGE) as first:
        if source.organization_id == target.organization_id:
            raise Refused(_("Both are the same organization. Choose another one."))
        with acting(in_order[1], Permission.CUSTOMERS_MERGE) as second:
            left, joined = (first, second) if in_order[0] is source else (second, first)
            accounts = {
                act.organization.pk: BillingAccount.objects.locked(act.organization)
                for act in (first, second)
            }
            move = plan_move(left.organization, joined.organization)
            if move.fingerprint != shown:
                raise PageOutdated(
                    _("Something has changed since. Look at what would move, then press again.")
                )
            if move.obstacles:
                raise Refused(move.obstacles[0])
            former, owner = accounts[left.organization.pk], accounts[joined.organization.pk]
            _move_rows(former, owner)
            left.record(CUSTOMER_MOVED_AWAY, target=(former.pk, move.customer_id))
            joined.record(CUSTOMER_MOVED_HERE, target=(owner.pk, move.customer_id))
            _let_all_follow(former, owner)
            ring(reconcile_due)
    return move


def _move_rows(former: BillingAccount, owner: BillingAccount) -> None:
    """What a former customer of the owner leaves behind are its invoices, as of any former one."""
    PaymentMethod.objects.for_org(owner.organization_id).delete()
    former.hand_customer_to(owner)
    former.save()
    StripeCustomer.objects.filter(pk=owner.stripe_customer_id).update(organization=owner.organization)
    owner.save()
    for rows in (Subscription.objects, Invoice.objects, PaymentMethod.objects):
        rows.for_org(former.organization_id).update(organization=owner.organization)


def _let_all_follow(former: BillingAccount, owner: BillingAccount) -> None:
    """Editions, then credits: the ledgers are the last locks, in the order of their organizations."""
    subscriptions = list(Subscription.objects.for_org(owner.organization_id))
    follow_subscription(former.organization, edition_code=STARTING_EDITION, seats=None)
    let_terms_follow(owner, subscriptions)
    follow_credits = [(former.organization, []), (owner.organization, subscriptions)]
    for organization, theirs in sorted(follow_credits, key=lambda one: one[0].pk):
        let_credits_follow(organization, theirs, changed=True)
