import pytest

from outbox.delivery import deliver_due
from outbox.models import OutgoingEmail, State
from tests.outbox.conftest import Enqueue


@pytest.mark.django_db
def test_mail_of_a_kind_that_no_app_declares_waits_for_one_that_does(put: Enqueue) -> None:
    OutgoingEmail.objects.filter(pk=put().pk).update(kind="surprise")
    deliver_due()
    email = OutgoingEmail.objects.get()
    assert (email.state, email.error) == (State.QUEUED, "UnknownKindError: surprise")
