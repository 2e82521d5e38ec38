"""A machine that does, in any order, all that can happen between the portal, its people and Stripe.

Things happen at Stripe; people of the portal, and those to whom they send links, save cards, pay and change
what they buy; events are delivered, late and twice; workers work, die and get bad answers. In the end all is
quiet, and must agree.
"""

import structlog
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from billing.mirror.reconciliation import reconcile
from billing.models import BillingAccount
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
        assert_all_work_is_finished()
        assert len(self.stripe.customers()) <= 1
        if BillingAccount.objects.exclude(stripe_customer_id=None).exists():
            account = self.account
            assert_mirror_equals_stripe(account)
            assert_terms_are_the_subscriptions(self.stripe, account)
            assert_pages_are_true(self.stripe, self.stage.simulator, self.manager)
            assert_mails_are_true(self.events(), people=2)
            assert_each_act_is_recorded()
            assert_purchases_are_as_told(self.stripe, people=2)
            assert_plan_changes_are_true(people=2)
            assert_payments_are_told(self.stage.simulator)
