"""Sending what lies in the outbox. Safe to run anywhere, any number of times, and to be killed at any line.

A row goes queued -> writing (a worker writes the mail) -> sending (it hands the mail over) -> sent. Each
step is committed before the next begins, and the worker holds a lease:

- left in ``writing``, nothing was handed over: the row is taken again when the lease has run out.
- left in ``sending``, nobody knows whether the mail left: it is sent again, under the same Message-ID, by
  which mail systems that care recognize the second copy. Only here can a person get a mail twice.
"""

import smtplib
import uuid

import structlog
from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused
from django.core.mail import EmailMultiAlternatives
from django.db.models.functions import Now

from outbox.models import OutgoingEmail, State
from outbox.registry import NoLongerNeeded, RenderedMail, renderer_of

logger = structlog.get_logger(__name__)

# What fails by our own fault (a renderer, a header) fails again: 8 attempts take an hour.
MAX_WRITE_ATTEMPTS = 8


def deliver_due(*email_ids: str, seconds: float = 30.0) -> int:
    """Deliver what is due, of these mails or all, beginning none after ``seconds``. How many were taken."""
    emails = OutgoingEmail.objects.filter(pk__in=email_ids) if email_ids else OutgoingEmail.objects.all()
    return sum(deliver(email_id) for email_id in emails.sweep(seconds=seconds))


def deliver(email_id: uuid.UUID) -> bool:
    """Deliver one mail if it is due. Returns whether this call took it, however that ended."""
    email = OutgoingEmail.objects.due().lease(email_id, state=State.WRITING)
    if email is None:
        return False
    with email.attempt():
        message = _written(email)
        if message is not None:
            email.renew(state=State.SENDING)
            _send(email, message)
    return True


def _written(email: OutgoingEmail) -> EmailMultiAlternatives | None:
    """The mail as it will be handed over; None: it can't be written, or is no longer needed."""
    try:
        return _message(email, renderer_of(email.kind)(email))
    except NoLongerNeeded as reason:
        email.release(state=State.DROPPED, error=str(reason))
    except Exception as error:
        logger.exception("mail_not_written", key=str(email.id), kind=email.kind)
        email.fail(error, max_attempts=MAX_WRITE_ATTEMPTS)
    return None


def _send(email: OutgoingEmail, message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again and then given up
        email.fail(error, max_attempts=1 if is_permanent(error) else None)
    else:
        email.release(state=State.SENT, sent_at=Now())


def is_permanent(error: Exception) -> bool:
    """Whether the provider refused this very mail for good (RFC 5321, 4.2.1): asking again is no use."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code >= 500 for code, _ in error.recipients.values())
        case smtplib.SMTPDataError():
            return error.smtp_code >= 500
    return isinstance(error, AnymailRecipientsRefused | AnymailInvalidAddress)


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
