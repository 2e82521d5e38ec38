import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail, State
from outbox.services import enqueue, enqueue_each, lag
from tests.outbox.conftest import Enqueue
from tests.outbox.notes import NOTE_MAIL
from work.transactions import OutsideTransactionError


@pytest.mark.django_db(transaction=True)
def test_mail_is_written_only_with_the_change_that_it_tells_of() -> None:
    with pytest.raises(OutsideTransactionError):
        enqueue(NOTE_MAIL, to="lee@ledger.test", dedupe_key="one")
    assert not OutgoingEmail.objects.exists()


@pytest.mark.django_db
def test_mail_of_a_change_that_is_rolled_back_is_never_written() -> None:
    with transaction.atomic():
        enqueue(NOTE_MAIL, to="lee@ledger.test", dedupe_key="one")
        transaction.set_rollback(True)
    assert not OutgoingEmail.objects.exists()


@pytest.mark.django_db
def test_second_mail_with_the_same_key_is_not_written() -> None:
    organization_id = uuid.uuid4()
    first = enqueue(
        NOTE_MAIL, to="lee@ledger.test", dedupe_key="one", organization_id=organization_id, subject="Hi", n=1
    )
    second = enqueue(NOTE_MAIL, to="kim@ledger.test", dedupe_key="one")

    assert second is None
    email = OutgoingEmail.objects.get()
    assert email == first
    assert (email.to, email.organization_id, email.params) == (
        "lee@ledger.test",
        organization_id,
        {"subject": "Hi", "n": 1},
    )
    assert (email.state, email.attempts, email.sent_at) == (State.QUEUED, 0, None)
    assert email.message_id == f"<{email.id}@testserver>"


@pytest.mark.django_db
def test_enqueue_is_one_statement(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(1):
        enqueue(NOTE_MAIL, to="lee@ledger.test", dedupe_key="one")


@pytest.mark.django_db
def test_mails_for_many_are_one_statement(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    enqueue(NOTE_MAIL, to="kim@ledger.test", dedupe_key="kim")
    with django_assert_num_queries(1):
        written = enqueue_each(
            NOTE_MAIL,
            to={"lee": "lee@ledger.test", "kim": "other@ledger.test", "ada": "ada@ledger.test"},
            subject="Hi",
        )
    assert {(email.dedupe_key, email.to, email.params["subject"]) for email in written} == {
        ("lee", "lee@ledger.test", "Hi"),
        ("ada", "ada@ledger.test", "Hi"),
    }
    assert OutgoingEmail.objects.get(dedupe_key="kim").to == "kim@ledger.test"
    assert len({email.message_id for email in written}) == 2


@pytest.mark.django_db
def test_a_mail_for_later_waits_for_the_sweep() -> None:
    later = timezone.now() + timedelta(hours=1)
    with transaction.atomic():
        (email,) = enqueue_each(NOTE_MAIL, to={"lee": "lee@ledger.test"}, not_before=later, subject="Hi")
    assert email.next_attempt_at == later
    assert deliver_due() == 0
    assert lag() == 0.0


@pytest.mark.django_db
def test_lag_is_the_age_of_what_waits_longest(put: Enqueue) -> None:
    assert lag() == 0.0
    put()
    first = put()
    OutgoingEmail.objects.filter(pk=first.pk).update(next_attempt_at="2020-01-01T00:00:00Z")
    sent = put()
    OutgoingEmail.objects.filter(pk=sent.pk).update(
        state=State.SENT, sent_at="2020-01-01T00:00:00Z", next_attempt_at="2019-01-01T00:00:00Z"
    )
    assert 5 * 365 * 24 * 3600 < lag() < 30 * 365 * 24 * 3600
