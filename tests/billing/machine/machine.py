"""A machine that does, in any order, all that can happen between the portal, its people and Stripe.

Things happen at Stripe; people of the portal, and those to whom they send links, save cards, pay and change
what they buy; events are delivered, late and twice; workers work, die and get bad answers. In the end all is
quiet, and must agree.
"""

from contextlib import suppress

import structlog
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from billing import gateway
from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount, PaymentMethod
from orgs.errors import Refused
from tests.billing.agreement.acts import (
    assert_each_act_is_recorded,
    assert_mails_are_true,
    assert_payments_are_told,
    assert_plan_changes_are_true,
    assert_purchases_are_as_told,
)
from tests.billing.agreement.mirror import (
    assert_all_work_is_finished,
    assert_mirror_equals_stripe,
    assert_terms_are_the_subscriptions,
)
from tests.billing.agreement.pages import assert_pages_are_true
from tests.billing.machine.at_stripe import PRICES
from tests.billing.machine.deliveries import Deliveries
from tests.billing.machine.details import PeopleAndDetails
from tests.billing.machine.links import HoldersOfLinks
from tests.billing.machine.methods import PeopleAndMethods
from tests.billing.machine.payments import PeoplePay
from tests.billing.machine.plans import PeopleChangePlans
from tests.billing.machine.run import Others

# Of what a worker, or a mirror, must never come to.
BROKEN = {"work_broken", "stripe_operation_failed", "stripe_object_unreadable"}


class BillingMachine(
    PeoplePay, PeopleChangePlans, PeopleAndMethods, PeopleAndDetails, HoldersOfLinks, Deliveries
):
    @initialize(
        is_customer=st.sampled_from([True, True, True, False]),
        price=st.sampled_from(PRICES),
        owes=st.booleans(),
    )
    def begin(self, is_customer: bool, price: str, owes: bool) -> None:
        """Most are customers with a subscription, and their mirror is right."""
        if is_customer:
            account = self.stripe.account_for(self.admin.organization)
            account.name = self.admin.organization.name
            account.save()
            self.stripe.attach_default(account)
            self.subscribe(price=price, quantity=3, terms={}, method=None)
            if owes:
                self.make_invoice_fail(amount=1000)
            reconcile(account.organization)
            self.delivered |= {event["id"] for event in self.events()}

    def let_act(self, others: Others) -> None:
        with suppress(Refused, PaymentMethod.DoesNotExist, gateway.GatewayUnavailable):
            match others:
                case Others.HEAR_ALL:
                    self.hear_all()
                case Others.RECONCILE:
                    reconcile(self.admin.organization)
                case Others.CHOOSE:
                    self.choose_or_remove_shown(self.admin, 0, removes=False)
                case Others.PAY:
                    self.pay_shown(self.manager, 0)
                case Others.CANCEL:
                    self.cancel_or_keep_shown(self.manager, 0, keeps=False)

    def teardown(self) -> None:
        try:
            with structlog.testing.capture_logs() as logs:
                self.come_to_rest()
                self._agree()
            assert not [entry for entry in logs if entry["event"] in BROKEN]
        finally:
            transaction.set_rollback(True)
            self.run.__exit__(None, None, None)

    def _agree(self) -> None:
        simulator = self.stage.simulator
        assert_all_work_is_finished()
        assert len(simulator.store.select("customer")) <= 1
        if BillingAccount.objects.exclude(stripe_customer_id=None).exists():
            account = self.account
            assert_mirror_equals_stripe(account)
            assert_terms_are_the_subscriptions(simulator, account)
            assert_pages_are_true(self.stripe, simulator, self.manager)
            assert_mails_are_true(self.events(), people=2)
            assert_each_act_is_recorded()
            assert_purchases_are_as_told(simulator, people=2)
            assert_plan_changes_are_true(people=2)
            assert_payments_are_told(simulator)
