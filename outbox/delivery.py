"""Sending what lies in the outbox. Safe to run anywhere, any number of times, and to be killed at any line.

A row goes queued -> claimed (a worker writes the mail) -> sending (it hands the mail over) -> sent. Each
step is committed before the next begins, and a claim is a lease:

- left in ``claimed``, nothing was handed over: the row is taken again when the lease has run out.
- left in ``sending``, nobody knows whether the mail left: it is sent again, under the same Message-ID, by
  which mail systems that care recognize the second copy. Only here can a person get a mail twice.
"""

import smtplib
import time
import uuid
from datetime import timedelta

import structlog
from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from outbox.models import OutgoingEmail, State
from outbox.registry import NoLongerNeeded, RenderedMail, renderer_of

logger = structlog.get_logger(__name__)

# What fails by our own fault (a renderer, a header) fails again: 8 attempts take an hour.
MAX_ATTEMPTS = 8
# What fails at the provider gets better: 24 attempts take 18 hours.
MAX_SEND_ATTEMPTS = 24
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
ERROR_LENGTH = 2000


def deliver_due(*, seconds: float = 30.0) -> int:
    """Deliver what is due, oldest first, beginning none after ``seconds``. Returns how many were taken."""
    taken = 0
    stop_at = time.monotonic() + seconds
    while time.monotonic() < stop_at:
        email_id = OutgoingEmail.objects.due().order_by("created_at").values_list("id", flat=True).first()
        if email_id is None:
            break
        taken += deliver(email_id)
    return taken


def deliver(email_id: uuid.UUID) -> bool:
    """Deliver one mail if it is due. Returns whether this call took it, however that ended."""
    email = _claim(email_id)
    if email is None:
        return False
    if email.attempts > MAX_SEND_ATTEMPTS:
        _finish(email, State.FAILED, error=f"Given up: {MAX_SEND_ATTEMPTS} workers died of it.")
        return True
    try:
        message = _message(email, renderer_of(email.kind)(email))
    except NoLongerNeeded as reason:
        _finish(email, State.DROPPED, error=str(reason))
        return True
    except Exception as error:
        logger.exception("mail_not_written", email_id=str(email.id), kind=email.kind)
        _retry(email, error, max_attempts=MAX_ATTEMPTS)
        return True
    if not _begin_sending(email):
        return True
    try:
        message.send()
    except Exception as error:
        logger.warning("mail_not_sent", email_id=str(email.id), kind=email.kind, exc_info=True)
        _retry(email, error, max_attempts=1 if is_permanent(error) else MAX_SEND_ATTEMPTS)
    else:
        _finish(email, State.SENT, sent_at=Now(), error="")
    return True


def is_permanent(error: Exception) -> bool:
    """Whether the provider refused this very mail for good (RFC 5321, 4.2.1): asking again is no use."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code >= 500 for code, _ in error.recipients.values())
        case smtplib.SMTPDataError():
            return error.smtp_code >= 500
    return isinstance(error, AnymailRecipientsRefused | AnymailInvalidAddress)


def _claim(email_id: uuid.UUID) -> OutgoingEmail | None:
    """Take the mail for the length of a lease, or None: it isn't due, or another worker was quicker."""
    with transaction.atomic(durable=True):
        taken = (
            OutgoingEmail.objects.due()
            .filter(pk=email_id)
            .update(state=State.CLAIMED, attempts=F("attempts") + 1, claimed_until=_lease_end())
        )
        return OutgoingEmail.objects.get(pk=email_id) if taken else None


def _begin_sending(email: OutgoingEmail) -> bool:
    """Note that the mail is about to be handed over. False: the lease ran out and another worker has it."""
    return _still_ours(email, State.CLAIMED, state=State.SENDING, claimed_until=_lease_end())


def _finish(email: OutgoingEmail, state: State, **values: object) -> None:
    _still_ours(email, state=state, claimed_until=None, **values)


def _retry(email: OutgoingEmail, error: Exception, *, max_attempts: int) -> None:
    description = f"{type(error).__name__}: {error}"[:ERROR_LENGTH].replace("\x00", "")
    if email.attempts >= max_attempts:
        _finish(email, State.FAILED, error=description)
    else:
        delay = min(FIRST_RETRY * 2 ** (email.attempts - 1), LONGEST_RETRY)
        _finish(email, State.QUEUED, error=description, next_attempt_at=Now() + delay)


def _still_ours(email: OutgoingEmail, *states: State, **values: object) -> bool:
    """Change the row, unless another worker has it since: every claim counts ``attempts`` up."""
    with transaction.atomic(durable=True):
        changed = OutgoingEmail.objects.filter(
            pk=email.pk, attempts=email.attempts, state__in=states or (State.CLAIMED, State.SENDING)
        ).update(**values)
    if not changed:
        logger.warning("mail_claim_lost", email_id=str(email.id), kind=email.kind)
    return bool(changed)


def _lease_end() -> Combinable:
    lease: Combinable = Now() + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
    return lease


def _message(email: OutgoingEmail, mail: RenderedMail) -> EmailMultiAlternatives:
    """The mail as it will be handed over. Raises BadHeaderError and what else can be wrong with it."""
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[email.to],
        headers={"Message-ID": email.message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(mail.html, "text/html")
    message.message()
    return message
