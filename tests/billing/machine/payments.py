"""People pay what is owed: on the page as it is, on one that was left open, by themselves or two at once."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from billing.operations.payments import Shown, pay_invoices
from billing.paying import Bill
from billing.selectors import billing_page
from orgs.models import Membership
from tests.billing.machine.at_stripe import AtStripe
from tests.billing.machine.run import MISHAPS, PICKS, Mishap, Stage, of_customer


class PeoplePay(AtStripe):
    """``bills``: what the buttons named on pages that were opened so far."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.bills: list[Bill] = []

    @of_customer
    @rule(refuses=st.booleans(), amount=st.sampled_from([1000, 2500]))
    def let_payment_fail(self, refuses: bool, amount: int) -> None:
        """The bank refuses a charge, and maybe the next one too. The portal hears of it."""
        self.make_invoice_fail(amount=amount)
        self.bank_decides(refuses=refuses)
        self.hear_all()

    def make_invoice_fail(self, *, amount: int) -> None:
        self.make_invoice(amount=amount, finalize=True)
        self.bank_decides(refuses=True)
        with self.in_dashboard():
            self.api.invoices.pay(self.listed("invoice")[0]["id"])
        self.bank_decides(refuses=False)

    @of_customer
    @rule(by_manager=st.booleans(), pick=PICKS, mishap=MISHAPS)
    def press_pay(self, by_manager: bool, pick: int, mishap: Mishap) -> None:
        person = self.person(by_manager)
        if not (billing_page(person).owed or self.bills):
            self.let_payment_fail(refuses=False, amount=1000)
        with self.befallen_by(mishap):
            self.pay_shown(person, pick)

    def pay_shown(self, person: Membership, pick: int) -> None:
        """What the page as it is now asks to be paid, or one that was left open."""
        owed = billing_page(person).owed
        self.bills += owed.bills if owed else []
        if self.bills:
            bill = self.bills[-1 - pick % len(self.bills)]
            shown = Shown(bill.invoices, bill.amount, bill.currency, bill.method.id)
            pay_invoices(actor=person, shown=shown)
