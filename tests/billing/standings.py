"""What Stripe may have of a customer, and the words of *Billing & usage* for it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orgs.models import Organization
from tests.billing.factories import (
    BillingAccountFactory,
    InvoiceFactory,
    SubscriptionFactory,
    document,
    line,
    payment,
)

DAY_OF_CHARGE = "1 December 2026"
TRIAL_END = datetime(2026, 12, 9, tzinfo=UTC)
LATER = datetime(2100, 1, 20, tzinfo=UTC)
BEFORE = datetime(2026, 11, 23, tzinfo=UTC)
OWN = {
    "id": "pm_own",
    "kind": "card",
    "brand": "mastercard",
    "last4": "4444",
    "exp_month": 1,
    "exp_year": 2040,
}
LINK = {**OWN, "id": "pm_link", "kind": "link", "brand": "", "last4": "", "exp_month": None, "exp_year": None}


def preview(amount: int, lines: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    total = fields.pop("total", amount)
    return {
        "missing": "",
        "currency": "usd",
        "at": fields.pop("at", "2026-12-01T01:00:00+00:00"),
        "total": total,
        "amount_due": amount,
        "document": document(lines or [line("Seats", total)], **fields),
    }


NO_PREVIEW = {**preview(0), "document": None}
NONE_TO_COME = {**NO_PREVIEW, "missing": "invoice_upcoming_none"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What Stripe has, and the words. ``account``: None: no customer, so no card."""

    account: dict[str, Any] | None = field(default_factory=dict)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)


PROMISES = ["Active", "Renews on", "The next charge is on", "Charged on"]
NO_CARD: dict[str, Any] = {"payment_method_id": "", "card_last4": "", "card_brand": ""}

SUBSCRIPTIONS = {
    "active": Case(
        subscriptions=[{}],
        says=[
            f"Next charge $200.00 on {DAY_OF_CHARGE}",
            "Active",
            f"Renews on {DAY_OF_CHARGE}",
            f"Charged on {DAY_OF_CHARGE} with Visa ending 4242 $200.00",
            "Due now Nothing",
        ],
    ),
    "paused status": Case(
        subscriptions=[{"status": "paused"}],
        says=["Paused", "Next charge None Nothing is charged while the subscription is paused."],
        never=PROMISES,
    ),
    "collection paused until a day": Case(
        subscriptions=[{"pause_behavior": "void", "pause_resumes_at": LATER}],
        says=[
            "Collection paused",
            "Collection is paused until 20 January 2100. Invoices of that time are void.",
            "Next charge None Nothing is charged while collection is paused.",
        ],
        never=PROMISES,
    ),
    "collection paused for good": Case(
        subscriptions=[{"pause_behavior": "keep_as_draft"}],
        says=["Collection is paused, with no end set. Invoices of that time are kept as drafts."],
        never=PROMISES,
    ),
    "incomplete": Case(
        subscriptions=[{"status": "incomplete"}],
        says=["First payment missing", "The subscription starts once its first payment is made."],
        never=PROMISES,
    ),
    "unpaid": Case(
        subscriptions=[{"status": "unpaid"}],
        says=["Unpaid", "Nothing more is charged until the open invoices are paid."],
        never=PROMISES,
    ),
    "a status of tomorrow": Case(
        subscriptions=[{"status": "novel"}],
        says=["Unknown", "Next charge Not known"],
        never=PROMISES,
    ),
    "canceled": Case(
        subscriptions=[{"status": "canceled"}],
        says=["Next charge None no subscription"],
        never=PROMISES,
    ),
    "past due": Case(
        subscriptions=[{"status": "past_due"}],
        invoices=[{"status": "open", "payment_status": "failed", "failure_code": "insufficient_funds"}],
        says=[
            "Payment overdue",
            "Due now $58.25",
            f"Next charge $200.00 on {DAY_OF_CHARGE}, besides the $58.25 due now",
        ],
        never=["Active", "Renews on", "Due now Nothing"],
    ),
    "ends at the period's end": Case(
        subscriptions=[{"cancel_at_period_end": True, "preview": NONE_TO_COME}],
        says=[
            f"Ends on {DAY_OF_CHARGE}",
            f"Next charge None The subscription ends on {DAY_OF_CHARGE}. It is not charged again.",
        ],
        never=PROMISES,
    ),
    "ends on a day": Case(
        subscriptions=[{"cancel_at": BEFORE, "preview": NONE_TO_COME}],
        says=["Ends on 23 November 2026"],
        never=PROMISES,
    ),
    "ends later than the next charge": Case(
        subscriptions=[{"cancel_at": LATER}],
        says=["Ends on 20 January 2100", f"Next charge $200.00 on {DAY_OF_CHARGE}"],
        never=["Active", "Renews on"],
    ),
    "trial with a card": Case(
        subscriptions=[{"status": "trialing", "trial_end": TRIAL_END, "trial_without_method": "cancel"}],
        says=["Trial until 9 December 2026", "Next charge $200.00"],
        never=["Active", "Renews on", "unless a card is saved"],
    ),
    "trial that ends without a card": Case(
        account=None,
        subscriptions=[{"status": "trialing", "trial_end": TRIAL_END, "trial_without_method": "cancel"}],
        says=[
            "The subscription ends on 9 December 2026 unless a card is saved.",
            "Ends on 9 December 2026 unless a card is saved",
            "Next charge None Nothing is charged unless a card is saved by 9 December 2026.",
            "Add card",
        ],
        never=PROMISES,
    ),
    "trial that pauses without a card": Case(
        account=None,
        subscriptions=[{"status": "trialing", "trial_end": TRIAL_END, "trial_without_method": "pause"}],
        says=["Pauses on 9 December 2026 unless a card is saved"],
        never=PROMISES,
    ),
    "trial that is invoiced without a card": Case(
        account=None,
        subscriptions=[
            {"status": "trialing", "trial_end": TRIAL_END, "trial_without_method": "create_invoice"}
        ],
        says=["No card is saved. The next charge is on 1 December 2026.", "Trial until 9 December 2026"],
        never=["Active", "Renews on"],
    ),
    "by invoice without a card": Case(
        account=None,
        subscriptions=[{"charged_automatically": False, "days_until_due": 30}],
        says=[
            "Paid by bank transfer on invoice",
            f"Next invoice $200.00 on {DAY_OF_CHARGE}",
            f"Invoiced on {DAY_OF_CHARGE} paid by bank transfer on invoice, within 30 days $200.00",
        ],
        never=["No card", "Next charge", "Charged on"],
    ),
    "no card where a charge is near": Case(
        account=NO_CARD,
        subscriptions=[{}],
        says=["No card is saved. The next charge is on 1 December 2026.", "no card is saved $200.00"],
    ),
    "the subscription's own method alone": Case(
        account=NO_CARD,
        subscriptions=[{"pays": OWN}],
        says=["Mastercard ending 4444", f"Charged on {DAY_OF_CHARGE} with Mastercard ending 4444"],
        never=["No card", "Nothing saved", "no card is saved"],
    ),
    "the subscription's own method before the customer's": Case(
        subscriptions=[{"pays": OWN}],
        says=[
            "with Mastercard ending 4444",
            "Mastercard ending 4444 Pays Team Pro seat",
            "Visa ending 4242 Pays no subscription now",
        ],
        never=["with Visa ending 4242"],
    ),
    "a method without digits": Case(
        account=NO_CARD,
        subscriptions=[{"pays": LINK}],
        says=["with Link $200.00", "Payment method Update card Link"],
        never=["ending"],
    ),
    "not asked yet": Case(
        subscriptions=[{"preview": None}],
        says=["Next charge Not known Stripe has not told the amount yet."],
        never=["$0.00", "The next charge is on"],
    ),
    "no further charge": Case(
        subscriptions=[{"preview": NONE_TO_COME}],
        says=["Next charge None Stripe announces no further charge."],
        never=["$0.00"],
    ),
    "a preview that failed": Case(
        subscriptions=[{"preview": {**NO_PREVIEW, "missing": "something_else"}}],
        says=["Next charge Not known Stripe could not work out the amount."],
        never=["$0.00"],
    ),
    "by use alone": Case(
        subscriptions=[
            {
                "preview": preview(0),
                "items": [{**SubscriptionFactory.build().items[0], "metered": True, "unit_amount": ""}],
            }
        ],
        says=[f"The amount depends on use. Stripe tells it when the period ends, on {DAY_OF_CHARGE}."],
        never=["$0.00"],
    ),
    "partly by use": Case(
        subscriptions=[
            {
                "items": [
                    SubscriptionFactory.build().items[0],
                    {**SubscriptionFactory.build().items[0], "metered": True},
                ]
            }
        ],
        says=[f"$200.00 on {DAY_OF_CHARGE}, and what is used until then"],
        never=["so far"],
    ),
}

INVOICES = {
    "failed with its method and reason": Case(
        invoices=[
            {
                "status": "open",
                "payment_status": "failed",
                "failure_code": "insufficient_funds",
                "next_attempt_at": LATER,
                "document": document(
                    [line("Seats", 5825)], payments=[payment(5825, status="failed", last4="0341")]
                ),
            }
        ],
        says=[
            "Due now $58.25 Invoice TEST",
            "of 1 November 2026",
            "Visa ending 0341 could not be charged: there was not enough money in the account.",
            "Next attempt on 20 January 2100.",
            "Pay $58.25 with Visa ending 4242 Use another card",
        ],
        never=["Open invoice", "Due now Nothing"],
    ),
    "failed with a code that is kept quiet": Case(
        invoices=[{"status": "open", "payment_status": "failed", "failure_code": "fraudulent"}],
        says=["The payment failed: the bank gave no reason.", "Stripe does not try again by itself."],
        never=["fraud"],
    ),
    "the card that was tried has expired": Case(
        invoices=[{"status": "open", "payment_status": "failed", "failure_code": "expired_card"}],
        says=["The payment failed: the card has expired.", "Use another card"],
    ),
    "the card that was tried is replaced": Case(
        invoices=[
            {
                "status": "open",
                "payment_status": "failed",
                "failure_code": "expired_card",
                "document": document(
                    [line("Seats", 5825)], payments=[payment(5825, status="failed", last4="0069")]
                ),
            }
        ],
        says=[
            "Visa ending 0069 could not be charged: the card has expired.",
            "Pay $58.25 with Visa ending 4242",
        ],
    ),
    "to be confirmed": Case(
        invoices=[{"status": "open", "payment_status": "requires_action"}],
        says=["Due now $58.25", "The bank wants you to confirm the payment. Confirm payment"],
    ),
    "on its way": Case(
        invoices=[{"status": "open", "payment_status": "processing"}],
        says=["Due now Nothing a payment is on its way", "A payment of $58.25 is on its way."],
        never=["Open invoice", "failed", "Pay invoice", "besides"],
    ),
    "overdue": Case(
        invoices=[{"status": "open", "due_at": BEFORE, "charged_automatically": False}],
        says=["Due now $58.25", "It was due on 23 November 2026.", "Show how to pay"],
        never=["Pay $58.25", "Use another card"],
    ),
    "due later": Case(
        invoices=[{"status": "open", "due_at": LATER, "charged_automatically": False}],
        says=["To pay $58.25", "It is not paid yet. It is due on 20 January 2100."],
        never=["Due now"],
    ),
    "to be charged by itself": Case(
        invoices=[{"status": "open", "next_attempt_at": LATER}],
        says=["It is not paid yet. Stripe charges it on 20 January 2100."],
    ),
    "partly paid": Case(
        invoices=[{"status": "open", "amount_paid": 2000, "amount_remaining": 3825}],
        says=["Due now $38.25", "$20.00 of $58.25 is paid."],
    ),
    "written off": Case(
        invoices=[{"status": "uncollectible"}],
        says=["Written off", "Due now Nothing"],
        never=["All paid"],
    ),
    "two currencies": Case(
        invoices=[
            {"status": "open", "payment_status": "failed"},
            {"status": "open", "payment_status": "failed"},
            {"status": "open", "currency": "eur"},
        ],
        says=["€58.25", "$116.50", "on 3 invoices"],
    ),
}


def make(case: Case, organization: Organization) -> None:
    if case.account is not None:
        BillingAccountFactory(organization=organization, **case.account)
    for fields in case.subscriptions:
        SubscriptionFactory(organization=organization, **fields)
    for fields in case.invoices:
        InvoiceFactory(organization=organization, **fields)
