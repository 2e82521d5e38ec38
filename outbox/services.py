"""Putting mails into the outbox, inside the transaction of the change that causes them."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from email.utils import parseaddr

from django.conf import settings
from django.db.models import F, Min
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone
from psycopg.types.json import Jsonb

from outbox.models import UNFINISHED, OutgoingEmail, OutgoingEmailQuerySet, State
from outbox.registry import MailKind, kind_of, kinds_to_outsiders
from outbox.tasks import deliver_written
from work.doorbell import ring
from work.transactions import ensure_transaction

INSERT = """
    INSERT INTO outbox_outgoingemail (id, kind, "to", organization_id, params, dedupe_key, message_id,
        next_attempt_at)
    SELECT new.id, %s, new."to", %s, %s, new.dedupe_key, new.message_id, coalesce(%s, statement_timestamp())
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS new (id, "to", dedupe_key, message_id)
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING *
"""


def enqueue(
    kind: MailKind,
    *,
    to: str,
    dedupe_key: str,
    organization_id: uuid.UUID | None = None,
    **params: str | int | bool | None,
) -> OutgoingEmail | None:
    """Write a mail into the outbox; the commit rings the worker. None: that ``dedupe_key`` was there already.

    ``params``: ids, codes and names for the renderer of that kind, which puts them into words. Never a label,
    which has a language, nor a secret, which the worker mints. Raises OutsideTransactionError.
    """
    written = enqueue_each(
        kind, to={dedupe_key: to}, organization_id=organization_id, not_before=None, **params
    )
    return written[0] if written else None


def enqueue_each(
    kind: MailKind,
    *,
    to: Mapping[str, str],
    organization_id: uuid.UUID | None = None,
    not_before: datetime | None = None,
    **params: str | int | bool | None,
) -> list[OutgoingEmail]:
    """The same mail for many, in one statement. ``to``: the ``dedupe_key`` and address of each.

    ``not_before``: the sweep sends it when that time has come, whatever becomes of Redis until then.
    Returns those that were written; otherwise like ``enqueue``.
    """
    ensure_transaction(kind.code)
    ids = [uuid.uuid4() for _key in to]
    message_ids = [f"<{email_id}@{_sender_domain()}>" for email_id in ids]
    addresses, keys = list(to.values()), list(to)
    values = [kind.code, organization_id, Jsonb(params), not_before, ids, addresses, keys, message_ids]
    # Raw, since only RETURNING tells an inserted row from one that was there, in one statement.
    emails = list(OutgoingEmail.objects.raw(INSERT, values))
    if emails and not_before is None:
        ring(deliver_written, *(str(email.id) for email in emails))
    return emails


def enqueue_again(mail: OutgoingEmail, *, to: str, **params: str | bool) -> OutgoingEmail | None:
    """Write the same mail anew, in words as they are when it goes. None: it was written anew already.

    ``params``: what of it changes. Raises UnknownKindError for a kind that is no more.
    """
    return enqueue(
        kind_of(mail.kind),
        to=to,
        dedupe_key=f"again:{mail.pk}:{to}"[:200],
        organization_id=mail.organization_id,
        **{**mail.params, **params},
    )


def drop_mails_to(addresses: Collection[str]) -> None:
    """Drop what still waits for somebody who is no longer there. ``addresses``: in lower case.

    A worker that is at such a mail doesn't send it, unless the provider has it already.
    """
    ensure_transaction("drop_mails_to")
    _waiting(addresses).update(state=State.DROPPED, leased_until=None)


def inside_mails(organization_id: uuid.UUID, addresses: Collection[str]) -> OutgoingEmailQuerySet:
    """What still waits and only somebody who belongs to the organization may get.

    ``addresses``: in lower case.
    """
    waiting = _waiting(addresses).filter(organization_id=organization_id)
    return waiting.exclude(kind__in=kinds_to_outsiders())


def drop_inside_mails(organization_id: uuid.UUID, addresses: Collection[str]) -> None:
    """Drop what still waits for somebody who no longer belongs to the organization.

    A worker that is at such a mail doesn't send it, unless the provider has it already.
    """
    ensure_transaction("drop_inside_mails")
    inside_mails(organization_id, addresses).update(state=State.DROPPED, leased_until=None)


def _waiting(addresses: Collection[str]) -> OutgoingEmailQuerySet:
    # Further addresses for invoices are stored as they were typed.
    by_address = OutgoingEmail.objects.alias(address=Lower("to"))
    return by_address.filter(UNFINISHED, address__in=addresses)


def lag() -> float:
    """For how many seconds the oldest mail that is due has been waiting; 0.0 when none waits."""
    due_since = OutgoingEmail.objects.due().aggregate(
        oldest=Min(Coalesce(F("leased_until"), F("next_attempt_at")))
    )["oldest"]
    return (timezone.now() - due_since).total_seconds() if due_since else 0.0


def _sender_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
