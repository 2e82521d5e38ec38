"""The prices of the editions, for the pages that sell them."""

from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from billing import gateway
from billing.mirror.rows import next_fetch_number
from billing.models import Price
from orgs.editions import EDITIONS


def sync_prices() -> None:
    """Fetch the editions' prices anew and write them down; what is archived or not recurring can't be sold.

    Raises GatewayUnavailable and GatewayRefused.
    """
    number = next_fetch_number()
    listed = gateway.prices(sorted({edition.price_lookup_key for edition in EDITIONS}))
    found = {price.lookup_key: price for price in listed if price.active and price.interval}
    with transaction.atomic():
        known = {row.lookup_key: row for row in Price.objects.select_for_update().order_by("pk")}
        if any(row.fetched_seq > number for row in known.values()):
            return
        # A key may have moved from one price to another, and the ids are unique.
        Price.objects.exclude(stripe_id__in=[price.id for price in found.values()]).delete()
        for price in found.values():
            values: dict[str, Any] = asdict(price)
            del values["active"], values["lookup_key"], values["credits"]
            values |= {"stripe_id": values.pop("id"), "fetched_seq": number, "synced_at": timezone.now()}
            Price.objects.update_or_create(lookup_key=price.lookup_key, defaults=values)
