"""The mails about money, put into the outbox within the transaction of what they tell of."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, Q
from django.db.models.functions import Now
from django.utils import timezone

from audit.models import ActorKind, AuditEvent
from billing.endings import stamp
from billing.limits import Use, is_used_up
from billing.mails import (
    ACT_FAILED_MAIL,
    CARD_ADDED_BY_LINK_MAIL,
    CARD_UPDATED_MAIL,
    CONFIRMATION_NEEDED_MAIL,
    CREDITS_BOUGHT_MAIL,
    CREDITS_EXPIRE_MAIL,
    DETAILS_CHANGED_MAIL,
    INVOICE_ISSUED_MAIL,
    METHOD_EXPIRES_MAIL,
    PAYMENT_FAILED_MAIL,
    PLAN_CHANGED_MAIL,
    SUBSCRIPTION_ENDING_MAIL,
    SUBSCRIPTION_KEPT_MAIL,
    SUBSCRIPTION_STARTED_MAIL,
    THRESHOLD_REACHED_MAIL,
)
from billing.models import BillingAccount, Invoice, PaymentMethod, StripeOperation, Subscription
from credits.models import Grant
from credits.selectors import PeriodCredits
from orgs.models import Membership, Organization
from orgs.policy import Permission, granting_roles
from outbox.registry import MailKind
from outbox.services import enqueue_each

# A person who pays at Stripe's page is asked at once, and answers there.
TIME_TO_CONFIRM = timedelta(minutes=5)
NOBODY = Q(pk__in=[])


def tell_of_failed_payment(organization: Organization, invoice: Invoice) -> None:
    """To everybody who may update the card, but for those who press to pay and read it on their page.

    To nobody of a purchase of credits: it is called off, and the person who pressed is told so.
    """
    purchase = StripeOperation.objects.buying_credits().filter(stripe_id=invoice.stripe_id)
    # Their request waits for the answer: the first attempt, which is still made.
    waited_for = StripeOperation.objects.paying().filter(attempts=1, leased_until__gt=Now())
    readers = waited_for.filter(stripe_id=invoice.stripe_id).values("actor_id")
    _tell_of_attempt(
        PAYMENT_FAILED_MAIL,
        _people_who_may(
            Permission.BILLING_CARD_UPDATE,
            organization,
            apart_from=Q(user__in=readers) | Q(Exists(purchase)),
        ),
        invoice,
        organization,
        reason=invoice.failure_code,
    )


def tell_of_needed_confirmation(organization: Organization, invoice: Invoice) -> None:
    """To everybody who may pay the invoice, unless somebody is at it and has done so within minutes."""
    _tell_of_attempt(
        CONFIRMATION_NEEDED_MAIL,
        _people_who_may(Permission.BILLING_INVOICES_PAY, organization),
        invoice,
        organization,
        not_before=timezone.now() + TIME_TO_CONFIRM,
    )


def _tell_of_attempt(
    kind: MailKind,
    people: Iterable[Membership],
    invoice: Invoice,
    organization: Organization,
    *,
    not_before: datetime | None = None,
    **codes: str | None,
) -> None:
    """Once per attempt to charge an invoice."""
    attempt = f"{invoice.stripe_id}:{invoice.attempt_count}:{invoice.tried_at}"
    enqueue_each(
        kind,
        to={f"{kind.code}:{attempt}:{person.user_id}": person.user.email for person in people},
        organization_id=organization.pk,
        not_before=not_before,
        organization=organization.name,
        slug=organization.slug,
        invoice=str(invoice),
        invoice_id=str(invoice.pk),
        amount=invoice.amount_remaining,
        currency=invoice.currency,
        **codes,
    )


def tell_of_new_card(account: BillingAccount, operation: StripeOperation) -> None:
    """To everybody who may update the card. It names the person who saved it, or made the link for it."""
    people = _people_who_may(Permission.BILLING_CARD_UPDATE, account.organization)
    codes = {
        "method_kind": account.payment_method_kind,
        "method_brand": account.card_brand,
        "method_last4": account.card_last4,
    }
    if operation.payment_link_id is None:
        _tell_of_act(CARD_UPDATED_MAIL, people, account.organization, operation, **codes)
        return
    # Nobody is told that they saved a card which another person typed in.
    enqueue_each(
        CARD_ADDED_BY_LINK_MAIL,
        to={f"card_added_by_link:{operation.pk}:{one.user_id}": one.user.email for one in people},
        organization_id=account.organization_id,
        not_before=None,
        organization=account.organization.name,
        slug=account.organization.slug,
        actor=operation.actor_name,
        **codes,
    )


def tell_of_started_subscription(organization: Organization, operation: StripeOperation) -> None:
    """To everybody who may change the subscription, as of its end below. They name who did it."""
    _tell_of_subscription(
        SUBSCRIPTION_STARTED_MAIL, organization, operation, edition=operation.params["edition"]
    )


def tell_of_ending_subscription(
    organization: Organization, operation: StripeOperation, subscription: Subscription
) -> None:
    _tell_of_subscription(
        SUBSCRIPTION_ENDING_MAIL, organization, operation, ends=stamp(subscription.ends_at)[:10]
    )


def tell_of_kept_subscription(
    organization: Organization, operation: StripeOperation, subscription: Subscription
) -> None:
    _tell_of_subscription(
        SUBSCRIPTION_KEPT_MAIL, organization, operation, renews=stamp(subscription.period_end)[:10]
    )


def tell_of_bought_credits(
    organization: Organization, operation: StripeOperation, invoice: Invoice, grant: Grant
) -> None:
    _tell_of_subscription(
        CREDITS_BOUGHT_MAIL,
        organization,
        operation,
        credits=grant.credits,
        expires=grant.expires_at.date().isoformat(),
        invoice=str(invoice),
        amount=invoice.total,
        currency=invoice.currency,
    )


def _tell_of_subscription(
    kind: MailKind, organization: Organization, operation: StripeOperation, **codes: str | int | None
) -> None:
    people = _people_who_may(Permission.BILLING_SUBSCRIPTION_UPDATE, organization)
    _tell_of_act(kind, people, organization, operation, **codes)


def _tell_of_act(
    kind: MailKind,
    people: Iterable[Membership],
    organization: Organization,
    operation: StripeOperation,
    **codes: str | int | None,
) -> None:
    """Once per operation; to the person who did it in other words than to the others."""
    for own in (True, False):
        enqueue_each(
            kind,
            to={
                f"{kind.code}:{operation.pk}:{person.user_id}": person.user.email
                for person in people
                if (person.user_id == operation.actor_id) is own
            },
            organization_id=organization.pk,
            not_before=None,
            organization=organization.name,
            slug=organization.slug,
            actor=operation.actor_name,
            own=own,
            **codes,
        )


def tell_of_plan_change(organization: Organization, operation: StripeOperation) -> None:
    """To everybody who may change the subscription. It names the person who did."""
    offer = operation.params.get("offer")
    codes: dict[str, str | int | None] = {"outcome": operation.result["outcome"]}
    if offer:
        codes |= {
            "edition": offer["new"]["edition"],
            "seats": offer["new"]["seats"],
            "charged": offer["amount_due"],
            "period_total": offer["period_total"],
            "currency": offer["currency"],
            "interval": offer["interval"],
            "day": datetime.fromtimestamp(offer["at"], UTC).date().isoformat(),
        }
    else:
        codes["day"] = operation.params["day"]
    _tell_of_subscription(PLAN_CHANGED_MAIL, organization, operation, **codes)


def tell_of_changed_details(organization: Organization, event: AuditEvent, parts: Iterable[str]) -> None:
    """To everybody who may see billing, once per save: which ``parts`` of the details, as codes.

    It names nobody: who may not see the members gets it too.
    """
    people = _people_who_may(Permission.BILLING_VIEW, organization)
    roles = (
        Membership.objects.for_org(organization).filter(user=event.actor_id).values_list("role", flat=True)
    )
    for own in (True, False):
        enqueue_each(
            DETAILS_CHANGED_MAIL,
            to={
                f"details_changed:{event.pk}:{person.user_id}": person.user.email
                for person in people
                if (person.user_id == event.actor_id) is own
            },
            organization_id=organization.pk,
            organization=organization.name,
            slug=organization.slug,
            role=roles.first() or "",
            by_portal=event.actor_kind == ActorKind.SYSTEM,
            parts=",".join(parts),
            own=own,
        )


def tell_of_failed_act(
    organization: Organization, operation: StripeOperation, outcome: Mapping[str, str]
) -> None:
    """To the person who asked for it, if they may still see billing.

    ``outcome``: see ``billing.failures.outcome_in``.
    """
    enqueue_each(
        ACT_FAILED_MAIL,
        to={
            f"act_failed:{operation.pk}": person.user.email
            for person in _people_who_may(
                Permission.BILLING_VIEW, organization, apart_from=~Q(user=operation.actor_id)
            )
        },
        organization_id=organization.pk,
        organization=organization.name,
        slug=organization.slug,
        act=operation.kind,
        asked=operation.created_at.date().isoformat(),
        code=outcome["code"],
        reason=outcome["reason"],
    )


def tell_of_expiring_method(organization: Organization, method: PaymentMethod, *, days: int) -> None:
    """To everybody who may update the card: once for its date, and for how many ``days`` ahead."""
    date = f"{method.exp_year}-{method.exp_month}"
    enqueue_each(
        METHOD_EXPIRES_MAIL,
        to={
            f"method_expires:{method.stripe_id}:{date}:{days}:{person.user_id}": person.user.email
            for person in _people_who_may(Permission.BILLING_CARD_UPDATE, organization)
        },
        organization_id=organization.pk,
        organization=organization.name,
        slug=organization.slug,
        method_id=str(method.pk),
        exp_month=method.exp_month,
        exp_year=method.exp_year,
    )


def tell_of_expiring_credits(
    organization: Organization, *, left: int, expires_at: datetime, days: int
) -> None:
    """To everybody who may change the subscription: once for how many ``days`` ahead."""
    enqueue_each(
        CREDITS_EXPIRE_MAIL,
        to={
            f"credits_expire:{organization.pk}:{expires_at.isoformat()}:{days}:{one.user_id}": one.user.email
            for one in _people_who_may(Permission.BILLING_SUBSCRIPTION_UPDATE, organization)
        },
        organization_id=organization.pk,
        organization=organization.name,
        slug=organization.slug,
        credits=left,
        expires=expires_at.date().isoformat(),
    )


def tell_of_issued_invoice(account: BillingAccount, invoice: Invoice) -> None:
    """To the further addresses that the organization has named. The first one is Stripe's to write to."""
    enqueue_each(
        INVOICE_ISSUED_MAIL,
        to={f"invoice_issued:{invoice.stripe_id}:{address}": address for address in account.copies_to},
        organization_id=account.organization_id,
        organization=account.organization.name,
        invoice=str(invoice),
        invoice_id=str(invoice.pk),
        amount=invoice.total,
        currency=invoice.currency,
    )


def tell_of_reached_thresholds(
    organization: Organization, period: PeriodCredits, news: Iterable[Use]
) -> None:
    """To everybody who may see billing, all of it in one mail."""
    codes: dict[str, str | int | None] = {}
    for use in news:
        facts = {"percent": use.highest, "used": use.used, "most": use.most}
        codes |= {f"{use.limit}_{name}": value for name, value in facts.items()}
    reached = "-".join(f"{use.limit}{use.highest}" for use in news)
    is_running = period.as_of < period.until
    is_stopped = organization.usage_stops and is_running and is_used_up(period, organization.usage_budget)
    told = f"threshold:{organization.pk}:{period.since.isoformat()}:{reached}"
    enqueue_each(
        THRESHOLD_REACHED_MAIL,
        to={
            f"{told}:{person.user_id}": person.user.email
            for person in _people_who_may(Permission.BILLING_VIEW, organization)
        },
        organization_id=organization.pk,
        not_before=None,
        organization=organization.name,
        slug=organization.slug,
        ends=period.until.date().isoformat(),
        stops_at=organization.stopping_limit.value if is_stopped else "",
        **codes,
    )


def _people_who_may(
    permission: Permission, organization: Organization, *, apart_from: Q = NOBODY
) -> list[Membership]:
    """By the policy and not by the name of a role."""
    roles = granting_roles(permission)
    memberships = Membership.objects.for_org(organization).current()
    memberships = memberships.filter(role__in=roles, user__is_active=True)
    return list(memberships.exclude(apart_from).select_related("user").order_by("joined_at", "id"))
