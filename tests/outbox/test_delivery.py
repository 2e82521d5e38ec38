from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone

from outbox.delivery import MAX_WRITE_ATTEMPTS, deliver, deliver_due
from outbox.models import OutgoingEmail, State
from outbox.tasks import delete_old_mails
from tests.outbox.conftest import Enqueue
from tests.outbox.mail_server import MailServer
from work.models import LeaseLost

Mailbox = list[EmailMessage]


def make_due(email: OutgoingEmail, **values: object) -> None:
    past = timezone.now() - timedelta(seconds=1)
    lease = {"leased_until": past} if values.get("state") in {State.WRITING, State.SENDING} else {}
    OutgoingEmail.objects.filter(pk=email.pk).update(next_attempt_at=past, **lease, **values)


@pytest.mark.django_db
def test_due_mails_go_out_once_and_oldest_first(put: Enqueue, mailoutbox: Mailbox) -> None:
    emails = [put(f"person{n}@ledger.test", subject=f"Note {n}") for n in range(3)]
    for age, email in enumerate(reversed(emails)):
        OutgoingEmail.objects.filter(pk=email.pk).update(created_at=timezone.now() - timedelta(minutes=age))

    assert deliver_due() == 3
    assert deliver_due() == 0

    assert [mail.subject for mail in mailoutbox] == ["Note 0", "Note 1", "Note 2"]
    assert mailoutbox[0].to == ["person0@ledger.test"]
    assert mailoutbox[0].extra_headers["Message-ID"] == emails[0].message_id
    assert not OutgoingEmail.objects.exclude(state=State.SENT).exists()


@pytest.mark.django_db
def test_mail_has_both_bodies(put: Enqueue, mail_server: MailServer) -> None:
    email = put(subject="Grüße")
    deliver_due()

    (mail,) = mail_server.mails
    assert mail["Subject"] == "Grüße"
    assert mail["Message-ID"] == email.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().strip() == "Hello"  # type: ignore[union-attr]
    assert mail.get_body(("html",)).get_content().strip() == "<p>Hello</p>"  # type: ignore[union-attr]


@pytest.mark.django_db
def test_mail_that_is_no_longer_needed_is_dropped(put: Enqueue, mailoutbox: Mailbox) -> None:
    email = put(gone=True)
    deliver_due()
    email.refresh_from_db()
    assert (email.state, email.error) == (State.DROPPED, "The note is gone.")
    assert mailoutbox == []


@pytest.mark.django_db
def test_mail_that_cannot_be_written_holds_up_nobody_and_fails_in_the_end(
    put: Enqueue, mailoutbox: Mailbox
) -> None:
    poison = put(fails=True)
    put()
    deliver_due()
    assert len(mailoutbox) == 1

    waits = []
    for _ in range(MAX_WRITE_ATTEMPTS - 1):
        poison.refresh_from_db()
        assert poison.state == State.QUEUED
        waits.append(round((poison.next_attempt_at - timezone.now()).total_seconds() / 30))
        assert not deliver(poison.id), "before its time"
        make_due(poison)
        deliver_due()

    poison.refresh_from_db()
    assert waits == [1, 2, 4, 8, 16, 32, 64]
    assert (poison.state, poison.attempts) == (State.FAILED, MAX_WRITE_ATTEMPTS)
    assert poison.error == "ZeroDivisionError: This note can't be written."
    make_due(poison)
    assert deliver_due() == 0


@pytest.mark.django_db
def test_subject_with_a_line_break_never_reaches_the_mail_server(
    put: Enqueue, mail_server: MailServer
) -> None:
    email = put(subject="Hello\nBcc: everybody@ledger.test")
    deliver_due()
    email.refresh_from_db()
    assert email.state == State.QUEUED
    assert email.error.startswith("BadHeaderError")

    make_due(email, attempts=MAX_WRITE_ATTEMPTS - 1)
    deliver_due()
    email.refresh_from_db()
    assert email.state == State.FAILED, "our own fault, which no waiting mends"
    assert mail_server.mails == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "state"), [(b"550 no such person", State.FAILED), (b"450 try later", State.QUEUED)]
)
def test_refusal_for_good_ends_the_mail_and_a_passing_one_does_not(
    put: Enqueue, mail_server: MailServer, answer: bytes, state: State
) -> None:
    email = put()
    mail_server.recipient_answer = answer
    deliver_due()
    email.refresh_from_db()
    assert email.state == state
    assert answer.decode().split(maxsplit=1)[1] in email.error


@pytest.mark.django_db
def test_mail_outlasts_a_mail_server_that_is_away_for_hours(put: Enqueue, mail_server: MailServer) -> None:
    email = put()
    mail_server.close()
    deliver_due()
    make_due(email, attempts=MAX_WRITE_ATTEMPTS + 3)
    deliver_due()
    email.refresh_from_db()
    assert email.state == State.QUEUED
    assert timedelta(minutes=59) < email.next_attempt_at - timezone.now() <= OutgoingEmail.WAITS.longest

    make_due(email, attempts=OutgoingEmail.MAX_ATTEMPTS - 1)
    deliver_due()
    email.refresh_from_db()
    assert email.state == State.FAILED
    assert "Connection" in email.error


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.WRITING, State.SENDING])
def test_mail_of_a_dead_worker_is_taken_when_its_lease_has_run_out(
    put: Enqueue, mailoutbox: Mailbox, state: State
) -> None:
    email = put()
    OutgoingEmail.objects.update(state=state, attempts=1, leased_until=timezone.now() + timedelta(seconds=30))
    assert not deliver(email.id)
    assert mailoutbox == []

    make_due(email, state=state)
    assert deliver(email.id)
    assert [mail.extra_headers["Message-ID"] for mail in mailoutbox] == [email.message_id]


@pytest.mark.django_db
def test_mail_that_kills_its_workers_is_given_up(put: Enqueue, mailoutbox: Mailbox) -> None:
    email = put()
    make_due(email, state=State.WRITING, attempts=OutgoingEmail.MAX_ATTEMPTS)
    deliver_due()
    email.refresh_from_db()
    assert email.state == State.FAILED
    assert mailoutbox == []


@pytest.mark.django_db
def test_worker_that_lost_its_lease_sends_nothing(put: Enqueue, mailoutbox: Mailbox) -> None:
    email = put()
    slow = OutgoingEmail.objects.due().lease(email.id, state=State.WRITING)
    assert slow is not None
    make_due(email, state=State.WRITING)
    quick = OutgoingEmail.objects.due().lease(email.id, state=State.WRITING)
    assert quick is not None

    with pytest.raises(LeaseLost):
        slow.renew(state=State.SENDING)
    quick.renew(state=State.SENDING)
    with pytest.raises(LeaseLost):
        slow.fail(ZeroDivisionError(), max_attempts=1)
    email.refresh_from_db()
    assert email.state == State.SENDING


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_sends(put: Enqueue, mailoutbox: Mailbox) -> None:
    rounds, workers = 20, 4
    emails = [put() for _ in range(rounds)]
    barrier = Barrier(workers)

    def work() -> None:
        for email in emails:
            barrier.wait(timeout=20)
            deliver(email.id)
        connection.close()

    threads = [Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(mail.extra_headers["Message-ID"] for mail in mailoutbox) == sorted(
        email.message_id for email in emails
    )


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_a_transaction(put: Enqueue, mailoutbox: Mailbox) -> None:
    email = put()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        deliver(email.id)
    assert mailoutbox == []


@pytest.mark.django_db
def test_old_mails_are_deleted_but_not_those_still_to_be_sent(put: Enqueue) -> None:
    old = timezone.now() - timedelta(days=91)
    sent, waiting, recent = put(), put(), put()
    OutgoingEmail.objects.filter(pk__in=[sent.pk, waiting.pk]).update(created_at=old)
    OutgoingEmail.objects.filter(pk__in=[sent.pk, recent.pk]).update(state=State.SENT, sent_at=old)
    delete_old_mails()
    assert set(OutgoingEmail.objects.all()) == {waiting, recent}
