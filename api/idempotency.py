"""A write that is sent again with the same Idempotency-Key is done once, and answered alike for 24 hours.

Key and answer are stored in the transaction of the write itself: all of it is done, or nothing. A second one
at the same time waits for the first. What was refused changed nothing, is not kept, and may be tried again.
See https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.
"""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpResponse, JsonResponse
from ninja import Schema, Status
from ninja.errors import HttpError
from ninja.responses import NinjaJSONEncoder

from api.gate import ApiRequest
from api.models import KEPT_FOR, KeptAnswer

HEADER = "Idempotency-Key"
KEY = re.compile("[!-~]{1,255}")
KEY_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "Sent again with the same key, the request is done once. "
    f"Keys are remembered for {KEPT_FOR.days * 24} hours.",
    "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
}


def run_once(request: ApiRequest, write: Callable[[], Any], status: int) -> Any:
    """Do the write, unless it was done with the key of this request. Raises HttpError for a wrong key."""
    key = request.headers.get(HEADER)
    if key is None:
        return Status(status, write())
    if not KEY.fullmatch(key):
        raise HttpError(422, f"{HEADER} has 1 to 255 visible ASCII characters.")
    kept = KeptAnswer(principal_id=request.asker_id, key=key, fingerprint=_fingerprint(request))
    with transaction.atomic():
        KeptAnswer.objects.old().filter(principal_id=kept.principal_id, key=key).delete()
        # Waits for another one that is under way with the same key.
        KeptAnswer.objects.bulk_create([kept], ignore_conflicts=True)
        found = KeptAnswer.objects.get(principal_id=kept.principal_id, key=key)
        if found.fingerprint != kept.fingerprint:
            raise HttpError(422, f"This {HEADER} was used for another request. Use a new one.")
        replayed = bool(found.status)
        if not replayed:
            found.status, found.body = status, _as_json(write())
            found.save(update_fields=["status", "body"])
    headers = {"Idempotency-Replayed": "true"} if replayed else None
    if found.body is None:
        return HttpResponse(status=found.status, headers=headers)
    return JsonResponse(found.body, status=found.status, headers=headers)


def _fingerprint(request: ApiRequest) -> str:
    told = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return hashlib.sha256(told).hexdigest()


def _as_json(answer: Schema | None) -> Any:
    """As it is stored, and as it is sent without a key."""
    return None if answer is None else json.loads(json.dumps(answer.model_dump(), cls=NinjaJSONEncoder))
