"""When time alone will change an object."""

from typing import Any

BILLED_STATUSES = ("active", "past_due", "trialing")
HOUR = 3600
DAY = 24 * HOUR


def due_at(body: dict[str, Any]) -> int | None:
    """The moment, in seconds since the epoch, at which the object's next scheduled step falls due."""
    match body["object"], body.get("status"):
        case "subscription", status if status in BILLED_STATUSES:
            moments: list[int] = [item["current_period_end"] for item in body["items"]["data"]]
            others = (
                body["cancel_at"],
                (body["pause_collection"] or {}).get("resumes_at"),
                (body["pending_update"] or {}).get("expires_at"),
            )
            moments += [moment for moment in others if moment is not None]
            return min(moments)
        case "subscription", "incomplete":
            return int(body["created"]) + 23 * HOUR
        case "invoice", "draft":
            moment: int | None = body["automatically_finalizes_at"]
            return moment if body["auto_advance"] else None
        case "invoice", "open" if body["collection_method"] == "send_invoice":
            moment = body["due_date"]
            return None if "overdue" in body.get("simulated", {}) else moment
        case "invoice", "open":
            moment = body["next_payment_attempt"]
            return moment if body["auto_advance"] else None
        case "coupon", _ if body.get("valid"):
            last_day: int | None = body["redeem_by"]
            return last_day
        case "promotion_code", _ if body["active"]:
            return int(body["expires_at"]) if body["expires_at"] else None
        case "checkout.session", "open":
            return int(body["expires_at"])
        case "payment_intent" | "refund" | "tax_id", _ if "settles_at" in body.get("simulated", {}):
            return int(body["simulated"]["settles_at"])
    return None
