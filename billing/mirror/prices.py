"""The prices of the editions and of packs of credits, for the pages that sell them."""

from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from billing import gateway
from billing.mirror.rows import next_fetch_number
from billing.models import Price
from orgs.editions import EDITIONS

PLANS = {edition.price_lookup_key for edition in EDITIONS}
PACKS = {edition.pack_lookup_key for edition in EDITIONS if edition.pack_lookup_key}


def sync_prices() -> None:
    """Fetch the prices anew and write them down. What is archived can't be sold, nor can a plan whose price
    doesn't recur, or a pack whose price does.

    Raises GatewayUnavailable and GatewayRefused.
    """
    number = next_fetch_number()
    listed = gateway.prices(sorted(PLANS | PACKS))
    found = {
        price.lookup_key: price
        for price in listed
        if price.active and bool(price.interval) is (price.lookup_key in PLANS)
    }
    with transaction.atomic():
        known = {row.lookup_key: row for row in Price.objects.select_for_update().order_by("pk")}
        if any(row.fetched_seq > number for row in known.values()):
            return
        # A key may have moved from one price to another, and the ids are unique.
        Price.objects.exclude(stripe_id__in=[price.id for price in found.values()]).delete()
        for price in found.values():
            values: dict[str, Any] = asdict(price)
            del values["active"], values["lookup_key"]
            values |= {"stripe_id": values.pop("id"), "fetched_seq": number, "synced_at": timezone.now()}
            Price.objects.update_or_create(lookup_key=price.lookup_key, defaults=values)
