"""The billing account as pages read it."""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from billing.methods import Method, method_of, saved_by
from billing.models import BillingAccount, StripeOperation
from billing.selectors.under_way import unsettled_of
from orgs.compiled import compiled


class AccountRow(NamedTuple):
    organization: uuid.UUID
    stripe_customer_id: str | None
    customer_deleted: bool
    payment_method_id: str
    payment_method_kind: str
    card_brand: str
    card_last4: str
    card_exp_month: int | None
    card_exp_year: int | None
    synced_at: datetime | None
    reconciled_at: datetime | None
    name: str
    address: dict[str, str]
    failed: dict[str, Any] | None
    unsettled: list[dict[str, str]]

    @property
    def as_of(self) -> datetime | None:
        """When all of the customer was last seen to be as it is here."""
        return max(filter(None, (self.synced_at, self.reconciled_at)), default=None)

    @property
    def pays(self) -> Method | None:
        return method_of(saved_by(self))


def account_rows(accounts: QuerySet[BillingAccount]) -> QuerySet[BillingAccount, Any]:
    """What an ``AccountRow`` is made of."""
    unseen = StripeOperation.objects.filter(organization=OuterRef("organization")).failed_unseen()
    failed = unseen.values(row=JSONObject(kind="kind", result="result", created_at="created_at"))[:1]
    unsettled = unsettled_of(OuterRef("organization"))
    annotated = accounts.annotate(unsettled=unsettled, failed=Subquery(failed))
    return annotated.values_list(*AccountRow._fields)


@compiled(AccountRow)
def _accounts(organization: uuid.UUID) -> QuerySet[BillingAccount, Any]:
    return account_rows(BillingAccount.objects.filter(organization=organization))


def account_of(organization_id: uuid.UUID) -> AccountRow | None:
    """None: the organization has asked nothing of Stripe yet."""
    return next(iter(_accounts(organization_id)), None)
