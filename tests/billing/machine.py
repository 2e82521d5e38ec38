"""A machine that does, in any order, all that can happen between the portal, its people and Stripe.

Things happen at Stripe (in its dashboard, by banks, by time); people of the portal set up cards and pay;
events are delivered, late and twice; workers work, die and get bad answers. In the end all is quiet, and must
agree.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from stripe import StripeError

from billing import gateway, tasks
from billing.endings import stamp
from billing.mirror.reconciliation import Drift, reconcile
from billing.models import BillingAccount, StripeEvent, StripeOperation, Subscription
from billing.operations.cards import start_card_setup
from billing.operations.endings import cancel_subscription, keep_subscription
from billing.operations.payments import Shown, pay_invoices
from billing.operations.plans import LATER, accept_offer, undo_change
from billing.operations.purchases import start_purchase
from billing.paying import Bill
from billing.plans import planned_changes
from billing.selectors import billing_page, plan_page, seats_page
from billing.webhooks import handle, put_into_inbox
from orgs.editions import EDITIONS
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Role
from stripe_simulator.simulator import Simulator
from tests.billing.agreement import (
    assert_all_work_is_finished,
    assert_failures_are_told,
    assert_invoices_add_up,
    assert_mails_are_true,
    assert_mirror_equals_stripe,
    assert_page_is_true,
    assert_payments_are_told,
    assert_plan_changes_are_true,
    assert_purchases_are_as_told,
    assert_terms_are_the_subscriptions,
)
from tests.billing.mishaps import Clock, Fault, Fuse, Killed, let_waits_end
from tests.billing.world import MASTERCARD, VISA, StripeWorld, signature
from tests.factories import MembershipFactory

# Of what a worker, or a mirror, must never come to.
BROKEN = {"work_broken", "stripe_operation_failed", "stripe_object_unreadable"}
NOT_SIMULATED = {"parameter_not_simulated", "parameter_unknown"}

FAULTS = st.sampled_from(
    [
        None,
        Fault("drop", when="after", method="POST"),
        Fault("drop", when="after"),
        Fault("drop", count=3),
        Fault("fail", 500, when="after", method="POST"),
        Fault("fail", 500),
        Fault("fail", 429, count=2),
        Fault("fail", 429, method="GET", count=5),
    ]
)
# At which step of its work a worker dies, if at all.
DEATHS = st.none() | st.integers(0, 60)
PICKS = st.integers(0, 7)
PRICES = ["team-growth-monthly", "team-pro-seat-monthly", "of-no-edition"]
SOLD = ["team-growth", "enterprise-growth"]
METHODS = [
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired",
    "pm_usBankAccount_success",
    "pm_usBankAccount_insufficientFunds",
]
FAILS_LATER, ASKS_BANK, IS_DECLINED = "4000000000000341", "4000002500003155", "4000000000000002"
TRIAL = {"trial_period_days": 14}
TERMS: list[dict[str, Any]] = [
    {},
    {"payment_behavior": "default_incomplete"},
    {"collection_method": "send_invoice", "days_until_due": 14},
    {**TRIAL, "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}}},
    {**TRIAL, "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}},
]
CHANGES: list[dict[str, Any]] = [
    {"pause_collection": {"behavior": "void"}},
    {"pause_collection": {"behavior": "keep_as_draft"}},
    {"pause_collection": {"behavior": "mark_uncollectible"}},
    {"pause_collection": ""},
    {"cancel_at_period_end": True},
    {"cancel_at_period_end": False},
    {"trial_end": "now"},
    {"collection_method": "charge_automatically"},
]


@dataclass(frozen=True)
class Stage:
    """What all runs of the machine share."""

    stripe: StripeWorld
    simulator: Simulator
    fuse: Fuse
    clock: Clock


class BillingMachine(RuleBasedStateMachine):
    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stripe, self.stage, self.api = stage.stripe, stage, stage.stripe.api
        # A savepoint that the code takes for the test's own transaction: it may begin durable ones inside.
        self.run = transaction.atomic()
        self.run._from_testcase = True  # type: ignore[attr-defined]
        self.run.__enter__()
        self.stripe.control.reset()
        stage.clock.ahead = timedelta()
        self.admin = MembershipFactory(role=Role.ADMIN)
        self.manager = MembershipFactory(organization=self.admin.organization, role=Role.BILLING_MANAGER)
        self.prices: dict[str, str] = {}
        self.pages: list[str] = []
        self.offers: list[tuple[Membership, str]] = []
        self.bills: list[Bill] = []
        self.delivered: set[str] = set()
        self.deleted: set[str] = set()

    @initialize(is_customer=st.sampled_from([True, True, True, False]), price=st.sampled_from(PRICES))
    def begin(self, is_customer: bool, price: str) -> None:
        """Most are customers with a subscription, and their mirror is right."""
        if is_customer:
            account = self.stripe.account_for(self.admin.organization)
            account.name = self.admin.organization.name
            account.save()
            self.stripe.attach_default(account)
            self.subscribe(price=price, quantity=3, terms={}, method=None)
            for event in self.stripe.events():
                self._deliver(event)
            tasks.sweep()

    @property
    def account(self) -> BillingAccount:
        return BillingAccount.objects.select_related("organization").get(
            organization=self.admin.organization_id
        )

    @property
    def customer(self) -> str:
        return str(self.account.stripe_customer_id)

    def has_customer(self) -> bool:
        accounts = BillingAccount.objects.filter(organization=self.admin.organization_id)
        return any(one.has_customer and one.stripe_customer_id not in self.deleted for one in accounts)

    def listed(self, kind: str) -> list[Any]:
        filters = {"status": "all"} if kind == "subscriptions" else {}
        return list(getattr(self.api, kind).list({"customer": self.customer, "limit": 100, **filters}).data)

    # At Stripe

    @contextmanager
    def in_dashboard(self) -> Iterator[None]:
        """Stripe refuses what makes no sense now."""
        try:
            yield
        except StripeError as error:
            if error.code in NOT_SIMULATED:
                raise

    def price(self, lookup_key: str) -> str:
        if lookup_key not in self.prices:
            amount = 700 + 900 * len(self.prices)
            self.prices[lookup_key] = self.stripe.price(amount=amount, lookup_key=lookup_key)
        return self.prices[lookup_key]

    @precondition(has_customer)
    @rule(
        price=st.sampled_from(PRICES),
        quantity=st.integers(1, 9),
        terms=st.sampled_from(TERMS),
        method=st.none() | st.sampled_from(METHODS),
    )
    def subscribe(self, price: str, quantity: int, terms: dict[str, Any], method: str | None) -> None:
        with self.in_dashboard():
            own = {}
            if method:
                attached = self.api.payment_methods.attach(method, {"customer": self.customer})
                own = {"default_payment_method": attached.id}
            items = [{"price": self.price(price), "quantity": quantity}]
            self.api.subscriptions.create({"customer": self.customer, "items": items, **terms, **own})

    @precondition(has_customer)
    @rule(pick=PICKS, price=st.sampled_from(PRICES), quantity=st.integers(1, 9))
    def change_items(self, pick: int, price: str, quantity: int) -> None:
        subscriptions = self.listed("subscriptions")
        if subscriptions and subscriptions[pick % len(subscriptions)].schedule is None:
            subscription = subscriptions[pick % len(subscriptions)]
            item = {
                "id": subscription["items"].data[0].id,
                "price": self.price(price),
                "quantity": quantity,
            }
            with self.in_dashboard():
                self.api.subscriptions.update(subscription.id, {"items": [item]})

    @precondition(has_customer)
    @rule(pick=PICKS, change=st.sampled_from(CHANGES))
    def change_subscription(self, pick: int, change: dict[str, Any]) -> None:
        subscriptions = self.listed("subscriptions")
        if subscriptions:
            with self.in_dashboard():
                self.api.subscriptions.update(subscriptions[pick % len(subscriptions)].id, change)

    @precondition(has_customer)
    @rule(pick=PICKS)
    def cancel(self, pick: int) -> None:
        subscriptions = self.listed("subscriptions")
        if subscriptions:
            with self.in_dashboard():
                self.api.subscriptions.cancel(subscriptions[pick % len(subscriptions)].id)

    @precondition(has_customer)
    @rule(percent=st.sampled_from([10, 50, 100]), duration=st.sampled_from(["once", "forever"]), pick=PICKS)
    def discount(self, percent: int, duration: str, pick: int) -> None:
        """The customer, or one of their subscriptions."""
        coupon = self.api.coupons.create({"percent_off": percent, "duration": duration, "name": "Launch"}).id
        subscriptions = self.listed("subscriptions")
        with self.in_dashboard():
            if pick < len(subscriptions):
                self.api.subscriptions.update(subscriptions[pick].id, {"discounts": [{"coupon": coupon}]})
            else:
                self.stripe.control.discount_customer(self.customer, coupon)

    @precondition(has_customer)
    @rule(amount=st.sampled_from([-50_000, -1000, 40, 1500]))
    def change_balance(self, amount: int) -> None:
        with self.in_dashboard():
            self.api.customers.balance_transactions.create(
                self.customer, {"amount": amount, "currency": "usd"}
            )

    @precondition(has_customer)
    @rule(method=st.none() | st.sampled_from(METHODS))
    def give_method(self, method: str | None) -> None:
        """Make it the customer's default; None: take the default away."""
        with self.in_dashboard():
            if method:
                self.stripe.attach_default(self.account, method)
            else:
                none = {"default_payment_method": ""}
                self.api.customers.update(self.customer, {"invoice_settings": none})

    @precondition(has_customer)
    @rule(refuses=st.booleans())
    def bank_decides(self, refuses: bool) -> None:
        """On the customer's default method, also on a debit of it that is under way."""
        method = self.stripe.default_card(self.account)
        if method and refuses:
            self.stripe.control.refuse_charges(method)
        elif method:
            self.stripe.control.allow_charges(method)

    @precondition(has_customer)
    @rule(amount=st.sampled_from([-500, 20, 1000]), finalize=st.booleans())
    def make_invoice(self, amount: int, finalize: bool) -> None:
        with self.in_dashboard():
            self.stripe.invoice(self.account, amount=amount, finalize=finalize)

    @precondition(has_customer)
    @rule(
        pick=PICKS,
        act=st.sampled_from(
            ["pay", "pay", "pay_elsewhere", "finalize", "void", "write_off", "delete", "credit", "refund"]
        ),
    )
    def change_invoice(self, pick: int, act: str) -> None:
        invoices = self.listed("invoices")
        if invoices:
            with self.in_dashboard():
                self._change(invoices[pick % len(invoices)], act)

    def _change(self, invoice: Any, act: str) -> None:
        match act:
            case "pay":
                self.api.invoices.pay(invoice.id)
            case "pay_elsewhere":
                self.api.invoices.pay(invoice.id, {"paid_out_of_band": True})
            case "finalize":
                self.api.invoices.finalize_invoice(invoice.id)
            case "void":
                self.api.invoices.void_invoice(invoice.id)
            case "write_off":
                self.api.invoices.mark_uncollectible(invoice.id)
            case "delete":
                self.api.invoices.delete(invoice.id)
            case "credit":
                share = max(invoice.total // 2, 1)
                paid = {"credit_amount": share} if invoice.status == "paid" else {}
                self.api.credit_notes.create({"invoice": invoice.id, "amount": share, **paid})
            case "refund":
                payments = self.api.invoice_payments.list({"invoice": invoice.id, "status": "paid"}).data
                for payment in payments:
                    self.api.refunds.create({"payment_intent": payment.payment.payment_intent})

    @rule(hours=st.sampled_from([1, 26, 5 * 24, 16 * 24, 32 * 24]))
    def let_time_pass(self, hours: int) -> None:
        self.stripe.control.advance(hours=hours)
        self.stage.clock.ahead += timedelta(hours=hours)
        let_waits_end()

    @precondition(has_customer)
    @rule(chance=st.integers(0, 4))
    def delete_customer(self, chance: int) -> None:
        if chance == 4:
            self.api.customers.delete(self.customer)
            self.deleted.add(self.customer)

    # People of the portal

    @contextmanager
    def mishap(self, fault: Fault | None, death: int | None) -> Iterator[None]:
        if fault:
            fault.order(self.stripe.control)
        self.stage.fuse.steps_left = death
        try:
            with suppress(Killed):
                yield
        finally:
            self.stage.fuse.steps_left = None
            if fault:
                self.stripe.control.clear_faults()

    @rule(by_manager=st.booleans(), fault=FAULTS, death=DEATHS)
    def press_update_card(self, by_manager: bool, fault: Fault | None, death: int | None) -> None:
        with self.mishap(fault, death), suppress(Refused):
            url = start_card_setup(actor=self.manager if by_manager else self.admin)
            if url not in self.pages:
                self.pages.append(url)

    @rule(by_manager=st.booleans(), fault=FAULTS, death=DEATHS)
    def press_choose(self, by_manager: bool, fault: Fault | None, death: int | None) -> None:
        price = self.price("team-growth-monthly")
        with self.mishap(fault, death), suppress(Refused):
            url = start_purchase(
                actor=self.manager if by_manager else self.admin,
                edition_code="team-growth",
                shown_price=price,
            )
            if url not in self.pages:
                self.pages.append(url)

    @rule(pick=PICKS, keeps=st.booleans(), fault=FAULTS, death=DEATHS)
    def press_cancel_or_keep(self, pick: int, keeps: bool, fault: Fault | None, death: int | None) -> None:
        """Of a subscription that this person has on their page."""
        shown = list(Subscription.objects.current().order_by("created_at", "id"))
        if not shown:
            return
        subscription = shown[pick % len(shown)]
        pk, end = subscription.pk, stamp(subscription.period_end)
        with self.mishap(fault, death), suppress(Refused):
            if keeps:
                keep_subscription(actor=self.manager, subscription_id=pk, shown_end=end)
            else:
                cancel_subscription(
                    actor=self.admin, subscription_id=pk, shown_end=end, feedback="unused", comment=""
                )

    @precondition(lambda self: self.pages)
    @rule(pick=PICKS, number=st.sampled_from([VISA, MASTERCARD, FAILS_LATER, ASKS_BANK, IS_DECLINED]))
    def enter_card(self, pick: int, number: str) -> None:
        page = self.pages[pick % len(self.pages)]
        then = self.stripe.control.enter_card(page, number=number)
        if then and number == ASKS_BANK:
            self.stripe.control.authenticate(then)

    @precondition(lambda self: self.pages)
    @rule(pick=PICKS, fault=FAULTS, death=DEATHS)
    def come_back(self, pick: int, fault: Fault | None, death: int | None) -> None:
        """The return page asks the worker to go on."""
        operations = list(StripeOperation.objects.order_by("created_at").values_list("pk", flat=True))
        with self.mishap(fault, death):
            tasks.resume_operations(str(operations[pick % len(operations)]))

    @precondition(has_customer)
    @rule(
        by_manager=st.booleans(),
        choice=st.sampled_from([*SOLD, *SOLD, 2, 5, 6]),
        presses=st.booleans(),
        fault=FAULTS,
        death=DEATHS,
    )
    def change_plan(
        self, by_manager: bool, choice: str | int, presses: bool, fault: Fault | None, death: int | None
    ) -> None:
        """Choose an edition, or a number of seats; and press, or keep the page open."""
        for lookup_key in (*PRICES, "enterprise-growth-yearly"):
            self.price(lookup_key)
        people = Membership.objects.select_related("organization", "user")
        reader = people.get(pk=(self.manager if by_manager else self.admin).pk)
        page = (
            seats_page(reader, seats=choice)
            if isinstance(choice, int)
            else plan_page(reader, edition_code=choice)
        )
        if page.offered:
            self.offers.append((reader, page.offered.offer.sealed))
            if presses:
                self.press_offer(0, fault, death)

    @precondition(lambda self: self.offers)
    @rule(pick=PICKS, fault=FAULTS, death=DEATHS)
    def press_offer(self, pick: int, fault: Fault | None, death: int | None) -> None:
        reader, sealed = self.offers[-1 - pick % len(self.offers)]
        with self.mishap(fault, death), suppress(Refused):
            accept_offer(actor=reader, sealed=sealed, stays=[LATER])

    @precondition(has_customer)
    @rule(fault=FAULTS, death=DEATHS)
    def undo_change(self, fault: Fault | None, death: int | None) -> None:
        planned = [one for row in Subscription.objects.current() for one in planned_changes(row)]
        with self.mishap(fault, death), suppress(Refused):
            for change in planned:
                undo_change(actor=self.admin, schedule_id=change.schedule_id)

    @precondition(has_customer)
    @rule(by_manager=st.booleans(), pick=PICKS, fault=st.none() | FAULTS, death=DEATHS)
    def press_pay(self, by_manager: bool, pick: int, fault: Fault | None, death: int | None) -> None:
        """On the page as it is now, or on one that was left open."""
        person = self.manager if by_manager else self.admin
        if not self.bills:
            self.make_invoice(amount=1000, finalize=True)
            reconcile(person.organization)
        owed = billing_page(person).owed
        self.bills += owed.bills if owed else []
        if self.bills:
            bill = self.bills[-1 - pick % len(self.bills)]
            shown = Shown(bill.invoices, bill.amount, bill.currency, bill.method.id)
            with self.mishap(fault, death), suppress(Refused):
                pay_invoices(actor=person, shown=shown)

    # Events and workers

    @rule(picks=st.lists(st.integers(0, 40), min_size=1, max_size=5), fault=FAULTS, death=DEATHS)
    def deliver(self, picks: list[int], fault: Fault | None, death: int | None) -> None:
        """Some events, the latest have the smallest numbers; in any order, and more than once."""
        events = self.stripe.events()[::-1]
        for pick in picks if events else []:
            event = events[pick % len(events)]
            self._deliver(event)
            with self.mishap(fault, death):
                handle(event["id"])

    def _deliver(self, event: dict[str, Any]) -> None:
        payload = json.dumps(event)
        put_into_inbox(gateway.verified_event(payload.encode(), signature(payload)))
        self.delivered.add(event["id"])

    @rule(fault=FAULTS, death=DEATHS)
    def sweep(self, fault: Fault | None, death: int | None) -> None:
        let_waits_end()
        with self.mishap(fault, death):
            tasks.sweep()

    @rule(fault=FAULTS, death=DEATHS)
    def reconcile(self, fault: Fault | None, death: int | None) -> None:
        let_waits_end()
        with self.mishap(fault, death):
            tasks.reconcile_due()

    # The end

    def teardown(self) -> None:
        try:
            with structlog.testing.capture_logs() as logs:
                self._come_to_rest()
                self._agree()
            assert not [entry for entry in logs if entry["event"] in BROKEN]
        finally:
            transaction.set_rollback(True)
            self.run.__exit__(None, None, None)

    def _come_to_rest(self) -> None:
        """Pages that were left open close; what was withheld is delivered, the latest first; all is done."""
        self.let_time_pass(hours=3)
        for _round in range(8):
            late = [event for event in self.stripe.events() if event["id"] not in self.delivered]
            for event in late[::-1]:
                self._deliver(event)
            let_waits_end()
            tasks.sweep()
            unfinished = StripeOperation.objects.filter(StripeOperation.unfinished).exists()
            if not late and not unfinished and not StripeEvent.objects.due().exists():
                return

    def _agree(self) -> None:
        assert_all_work_is_finished()
        assert len(self.stripe.customers()) <= 1
        if not BillingAccount.objects.exclude(stripe_customer_id=None).exists():
            return
        account = self.account
        assert_mirror_equals_stripe(account)
        people = [self.admin, self.manager]
        assert_page_is_true(self.stripe, self.stage.simulator, self.manager)
        assert_invoices_add_up(self.stripe)
        assert_terms_are_the_subscriptions(
            self.stripe, account, {edition.price_lookup_key: edition.code for edition in EDITIONS}
        )
        assert_mails_are_true(self.stripe, len(people))
        assert_purchases_are_as_told(self.stripe, len(people))
        assert_plan_changes_are_true(len(people))
        assert_payments_are_told()
        assert_failures_are_told()
        assert reconcile(account.organization) == Drift()
