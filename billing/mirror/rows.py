"""How a row of the mirror comes about: take a number, ask Stripe, lock the account, write.

The number is taken first, then Stripe is asked, then the organization and its billing account are locked,
then written. A fetch with an earlier number than what is known changes nothing. What is written returns
whether the mirror was wrong before, or how many objects in it were.

A fetch of all that the customer has notes its number as the account's ``listed_seq`` first, and saves the
account in the end. Rows that such a fetch only confirms are then not written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from billing.gateway import records
from billing.models import BillingAccount, Invoice, Subscription

Row = BillingAccount | Subscription | Invoice

FETCH_SEQUENCE = "billing_fetch_seq"


def next_fetch_number() -> int:
    """Take a sequence number; do it before the fetch whose answer is to be written with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [FETCH_SEQUENCE])
        return int(cursor.fetchone()[0])


@contextmanager
def locked_account(account: BillingAccount) -> Iterator[BillingAccount | None]:
    """The account as it is now, locked; None when it has another customer now."""
    with transaction.atomic():
        current = BillingAccount.objects.locked_of(account.organization_id)
        yield current if current.stripe_customer_id == account.stripe_customer_id else None


@contextmanager
def locked_owner(account: BillingAccount, customer_id: str) -> Iterator[BillingAccount | None]:
    """The account as it is now, locked; None when it never had this customer."""
    with transaction.atomic():
        current = BillingAccount.objects.locked_of(account.organization_id)
        yield current if current.ever_had(customer_id) else None


def is_late(account: BillingAccount, row: Row, number: int) -> bool:
    """Whether something later is known of this object, or it is none of the account's."""
    if row.organization_id != account.organization_id or number <= row.fetched_seq:
        return True
    is_listed = not isinstance(row, Invoice) or row.is_listed_for(account)
    return is_listed and number < account.listed_seq


def is_news(account: BillingAccount) -> bool:
    """Whether people are told of it. The first look at a customer imports their past, which is no news."""
    return account.synced_at is not None


def values_of(fetched: records.Subscription | records.Invoice) -> dict[str, Any]:
    """What of a fetched object is written to the columns of the same names."""
    values = asdict(fetched)
    for name in ("id", "customer_id", "operation_id"):
        values.pop(name, None)
    values["created_at"] = values.pop("created")
    return values


def differs(row: Row, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def assign(row: Row, values: dict[str, Any], number: int) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.fetched_seq = number
    row.synced_at = timezone.now()


def save(account: BillingAccount, row: Row, values: dict[str, Any], number: int, *, changed: bool) -> None:
    """Save what was fetched, and that the mirror is up to date: pages say as of when they speak.

    Of an account that was never synced only a piece is known now; its first look at the customer notes it.
    """
    assign(row, values, number)
    from_full_fetch = row.fetched_seq == account.listed_seq
    if changed or not from_full_fetch:
        row.save()
    if account.synced_at is not None and not from_full_fetch:
        account.synced_at = timezone.now()
        account.save(update_fields=["synced_at"])
