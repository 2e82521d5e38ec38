"""The billing account as pages read it."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, Exists, F, Func, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import JSONObject

from billing.mails import INVOICE_ISSUED_MAIL
from billing.methods import WARNED_AHEAD, Method, method_of, saved_by
from billing.models import BillingAccount, StripeOperation
from billing.selectors.under_way import unsettled_of
from credits.models import Grant
from orgs.compiled import compiled
from outbox.models import OutgoingEmail, State

WARNED_SOON = timedelta(days=max(WARNED_AHEAD))
NONE_ASKED = Value([], output_field=ArrayField(TextField()))


class AccountRow(NamedTuple):
    """``bounced``: of ``copies_to``, those that refused the last invoice sent to them. ``expiring``: of each
    grant that expires soon, ``expires_at`` in ISO format and what is ``left``. Both are read for one account
    alone.
    """

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
    email: str
    address: dict[str, str]
    grace_until: date | None
    failed: dict[str, Any] | None
    unsettled: list[dict[str, str]]
    copies_to: list[str]
    bounced: list[str]
    expiring: list[dict[str, Any]]

    @property
    def as_of(self) -> datetime | None:
        """When all of the customer was last seen to be as it is here."""
        return max(filter(None, (self.synced_at, self.reconciled_at)), default=None)

    @property
    def pays(self) -> Method | None:
        return method_of(saved_by(self))


def account_rows(
    accounts: QuerySet[BillingAccount],
    *,
    bounced: Combinable | ArraySubquery = NONE_ASKED,
    expiring: Combinable | ArraySubquery = NONE_ASKED,
) -> QuerySet[BillingAccount, Any]:
    """What an ``AccountRow`` is made of."""
    unseen = StripeOperation.objects.filter(organization=OuterRef("organization")).failed_unseen()
    failed = unseen.values(row=JSONObject(kind="kind", result="result", created_at="created_at"))[:1]
    unsettled = unsettled_of(OuterRef("organization"))
    annotated = accounts.annotate(
        bounced=bounced, expiring=expiring, unsettled=unsettled, failed=Subquery(failed)
    )
    return annotated.values_list(*AccountRow._fields)


@compiled(AccountRow)
def _accounts(organization: uuid.UUID) -> QuerySet[BillingAccount, Any]:
    # What the operator "?" of a JSON list calls.
    named = Func(OuterRef("copies_to"), F("to"), function="jsonb_exists", output_field=BooleanField())
    mails = OutgoingEmail.objects.filter(organization_id=organization, kind=INVOICE_ISSUED_MAIL.code)
    later = mails.filter(to=OuterRef("to"), created_at__gt=OuterRef("created_at"))
    refused = mails.filter(named, ~Exists(later), state=State.FAILED).order_by("to").values("to")
    accounts = BillingAccount.objects.filter(organization=organization)
    grants = Grant.objects.for_org(organization).expiring(within=WARNED_SOON).with_left(organization)
    expiring = grants.order_by("expires_at", "id").values(
        row=JSONObject(expires_at="expires_at", left="left")
    )
    return account_rows(accounts, bounced=ArraySubquery(refused), expiring=ArraySubquery(expiring))


def account_of(organization_id: uuid.UUID) -> AccountRow | None:
    """None: the organization has asked nothing of Stripe yet."""
    return next(iter(_accounts(organization_id)), None)
