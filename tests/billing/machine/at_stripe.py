"""What happens at Stripe: in its dashboard, by banks, by time."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.billing.machine.run import FEW, Run, of_customer
from tests.billing.mishaps import let_waits_end

PRICES = ["team-growth-monthly", "team-pro-seat-monthly", "of-no-edition"]
METHODS = [
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired",
    "pm_usBankAccount_success",
    "pm_usBankAccount_insufficientFunds",
]
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
TOUCHES = ["discount", "balance", "name", "no_name", "default", "no_default", "detach", "delete"]
COUPONS = [(10, "once"), (50, "forever"), (100, "once"), (100, "forever")]
BALANCES = [-50_000, -1000, 40, 1500]
INVOICE_ACTS = ["pay", "pay", "pay_elsewhere", "finalize", "void", "write_off", "delete", "credit", "refund"]


class AtStripe(Run):
    @of_customer
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

    @of_customer
    @rule(
        pick=FEW,
        change=st.sampled_from([*CHANGES, None])
        | st.builds(dict, price=st.sampled_from(PRICES), quantity=st.integers(1, 9)),
    )
    def change_subscription(self, pick: int, change: dict[str, Any] | None) -> None:
        """Its terms, or its price and quantity. None: it ends at once."""
        for subscription in self.listed("subscription")[pick : pick + 1]:
            with self.in_dashboard():
                if change is None:
                    self.api.subscriptions.cancel(subscription["id"])
                elif "price" not in change:
                    self.api.subscriptions.update(subscription["id"], change)
                elif subscription["schedule"] is None:
                    item = {"id": subscription["items"]["data"][0]["id"], **change}
                    item["price"] = self.price(change["price"])
                    self.api.subscriptions.update(subscription["id"], {"items": [item]})

    @of_customer
    @rule(touch=st.sampled_from(TOUCHES), pick=FEW)
    def touch_customer(self, touch: str, pick: int) -> None:
        with self.in_dashboard():
            self._touch(touch, pick)

    def _touch(self, touch: str, pick: int) -> None:
        customer, api = self.customer, self.api
        match touch:
            case "discount":
                self._discount(*COUPONS[pick % len(COUPONS)], pick)
            case "balance":
                amount = {"amount": BALANCES[pick % len(BALANCES)], "currency": "usd"}
                api.customers.balance_transactions.create(customer, amount)
            case "name":
                api.customers.update(customer, {"name": "Acme Ltd", "email": "books@acme.test"})
            case "no_name":
                api.customers.update(customer, {"name": "", "email": ""})
            case "default":
                self.stripe.attach_default(self.account, METHODS[pick % len(METHODS)])
            case "no_default":
                api.customers.update(customer, {"invoice_settings": {"default_payment_method": ""}})
            case "detach":
                for method in self.listed("payment_method")[pick : pick + 1]:
                    api.payment_methods.detach(method["id"])
            case "delete" if pick == 0:
                api.customers.delete(customer)

    def _discount(self, percent: int, duration: str, pick: int) -> None:
        """The customer, or one of their subscriptions."""
        coupon = self.api.coupons.create({"percent_off": percent, "duration": duration, "name": "Launch"}).id
        subscriptions = self.listed("subscription")
        if pick < len(subscriptions):
            change = {"discounts": [{"coupon": coupon}]}
            self.api.subscriptions.update(subscriptions[pick]["id"], change)
        else:
            self.stripe.control.discount_customer(self.customer, coupon)

    @of_customer
    @rule(refuses=st.booleans())
    def bank_decides(self, refuses: bool) -> None:
        """On the customer's default method, also on a debit of it that is under way."""
        method = self.stripe.default_card(self.account)
        if method and refuses:
            self.stripe.control.refuse_charges(method)
        elif method:
            self.stripe.control.allow_charges(method)

    @of_customer
    @rule(amount=st.sampled_from([-500, 20, 1000]), finalize=st.booleans())
    def make_invoice(self, amount: int, finalize: bool) -> None:
        with self.in_dashboard():
            self.stripe.invoice(self.account, amount=amount, finalize=finalize)

    @of_customer
    @rule(pick=FEW, act=st.sampled_from(INVOICE_ACTS))
    def change_invoice(self, pick: int, act: str) -> None:
        for invoice in self.listed("invoice")[pick : pick + 1]:
            with self.in_dashboard():
                self._change(invoice, act)

    def _change(self, invoice: dict[str, Any], act: str) -> None:
        invoice_id, api = invoice["id"], self.api
        match act:
            case "pay":
                api.invoices.pay(invoice_id)
            case "pay_elsewhere":
                api.invoices.pay(invoice_id, {"paid_out_of_band": True})
            case "finalize":
                api.invoices.finalize_invoice(invoice_id)
            case "void":
                api.invoices.void_invoice(invoice_id)
            case "write_off":
                api.invoices.mark_uncollectible(invoice_id)
            case "delete":
                api.invoices.delete(invoice_id)
            case "credit":
                share = max(invoice["total"] // 2, 1)
                paid = {"credit_amount": share} if invoice["status"] == "paid" else {}
                api.credit_notes.create({"invoice": invoice_id, "amount": share, **paid})
            case "refund":
                payments = api.invoice_payments.list({"invoice": invoice_id, "status": "paid"}).data
                for payment in payments:
                    api.refunds.create({"payment_intent": payment.payment.payment_intent})

    @rule(hours=st.sampled_from([1, 26, 5 * 24, 16 * 24, 32 * 24]))
    def let_time_pass(self, hours: int) -> None:
        self.stripe.control.advance(hours=hours)
        self.stage.clock.ahead += timedelta(hours=hours)
        let_waits_end()
