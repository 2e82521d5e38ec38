import json
from pathlib import Path

import pytest
from django.http import Http404
from django.test import RequestFactory
from pytest_django import Settings

from billing_portal import devmail
from outbox.delivery import deliver_due
from tests.outbox.conftest import Enqueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DEVELOPMENT = True
    settings.MAIL_DIR = settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    return tmp_path


def test_mailbox_lists_mails_newest_first(mail_dir: Path, put: Enqueue, rf: RequestFactory) -> None:
    older = put("kim@ledger.test", subject="Grüße")
    deliver_due()
    put("lee@ledger.test", subject="Second")
    deliver_due()

    page = devmail.mailbox(rf.get("/dev/mail/")).content.decode()
    assert page.index("Second") < page.index("Grüße")

    mails = devmail.stored_mails()
    assert [(mail.to, mail.subject) for mail in mails] == [
        (["lee@ledger.test"], "Second"),
        (["kim@ledger.test"], "Grüße"),
    ]
    assert (mails[1].text.strip(), mails[1].html.strip()) == ("Hello", "<p>Hello</p>")
    assert mails[1].headers["Message-ID"] == older.message_id


def test_mailbox_answers_json(mail_dir: Path, put: Enqueue, rf: RequestFactory) -> None:
    put(subject="Hi")
    deliver_due()
    response = devmail.mailbox(rf.get("/dev/mail/?format=json"))
    (mail,) = json.loads(response.content)
    assert mail.keys() == {
        "id",
        "to",
        "from",
        "subject",
        "text",
        "html",
        "sent_at",
        "headers",
    }
    assert (mail["subject"], mail["sent_at"][-1]) == ("Hi", "Z")


def test_links_of_a_mail_can_be_followed(mail_dir: Path, put: Enqueue, rf: RequestFactory) -> None:
    put(text="Open http://testserver/invitations/abc/ now <b>")
    deliver_due()
    page = devmail.mailbox(rf.get("/dev/mail/")).content.decode()
    assert '<a href="http://testserver/invitations/abc/"' in page
    assert "now &lt;b&gt;" in page


def test_html_of_a_mail_is_shown_without_rights(mail_dir: Path, put: Enqueue, rf: RequestFactory) -> None:
    put()
    deliver_due()
    response = devmail.mail_html(rf.get("/"), devmail.stored_mails()[0].id)
    assert response.content.decode().strip() == "<p>Hello</p>"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    with pytest.raises(Http404):
        devmail.mail_html(rf.get("/"), "../../etc/passwd")


def test_mail_that_is_still_being_written_is_not_shown(mail_dir: Path, rf: RequestFactory) -> None:
    (mail_dir / "20260101-000000-1.log").write_bytes(b"Subject: half\nTo: lee@le")
    assert devmail.stored_mails() == []
    assert "No mails yet" in devmail.mailbox(rf.get("/dev/mail/")).content.decode()


def test_there_is_no_mailbox_outside_development(
    mail_dir: Path, settings: Settings, rf: RequestFactory
) -> None:
    settings.DEVELOPMENT = False
    with pytest.raises(Http404):
        devmail.mailbox(rf.get("/dev/mail/"))
