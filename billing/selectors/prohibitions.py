"""What Stripe's key was found not to be allowed, for the first page of support staff."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from billing.gateway import GatewayForbidden
from billing.models import BillingAccount, EventState, StripeEvent, StripeOperation

# Accounts are tried each day; what stays parked for longer says nothing of the key as it is now.
LATELY = timedelta(days=1)
CODE = f"{GatewayForbidden.CODE}: "


def prohibitions() -> list[str]:
    """A sentence for each, as the rows that met it tell it."""
    since = Now() - LATELY
    return sorted(
        _met(BillingAccount.objects.all())
        | _met(StripeEvent.objects.filter(state=EventState.FAILED, received_at__gt=since))
        | _met(StripeOperation.objects.filter(finished_at__gt=since))
    )


def _met(rows: QuerySet[Any]) -> set[str]:
    errors = rows.filter(error__startswith=CODE).order_by().values_list("error", flat=True).distinct()
    return {error.removeprefix(CODE) for error in errors}
