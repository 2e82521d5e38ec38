"""The mailbox of development: what the file mail backend wrote into MAIL_DIR. Only there."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

# How Django's file backend ends each message.
SEPARATOR = b"\n" + b"-" * 79 + b"\n"
NEWEST = 200
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups"


@dataclass(frozen=True)
class StoredMail:
    """``id``: names the mail in URLs."""

    id: str
    to: list[str]
    sender: str
    subject: str
    text: str
    html: str
    sent_at: datetime
    headers: dict[str, str]


def mailbox(request: HttpRequest) -> HttpResponse:
    """The newest mails, newest first, as a page, or with ``?format=json`` as a JSON list."""
    mails = stored_mails()
    if request.GET.get("format") == "json":
        return JsonResponse([as_json(mail) for mail in mails], safe=False)
    return render(request, "dev/mailbox.html", {"mails": mails})


def mail_html(_request: HttpRequest, mail_id: str) -> HttpResponse:
    """The HTML body of one mail as a mail program shows it, under a policy that lets it do nothing."""
    mail = next((mail for mail in stored_mails() if mail.id == mail_id), None)
    if mail is None:
        raise Http404
    return HttpResponse(mail.html, headers={"Content-Security-Policy": MAIL_POLICY})


def stored_mails() -> list[StoredMail]:
    """Raises Http404 unless this is development and mails go to files."""
    if not settings.DEVELOPMENT or not settings.MAIL_DIR:
        raise Http404
    files = sorted(Path(settings.MAIL_DIR).glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
    return [mail for file in reversed(files[-NEWEST:]) for mail in reversed(list(mails_of(file)))]


def mails_of(file: Path) -> Iterator[StoredMail]:
    *complete, _unfinished = file.read_bytes().split(SEPARATOR)
    for number, content in enumerate(complete):
        message = BytesParser(EmailMessage, policy=policy.default).parsebytes(content)
        yield StoredMail(
            id=f"{file.stem}-{number}",
            to=[address.addr_spec for address in message["To"].addresses],
            sender=str(message["From"]),
            subject=str(message["Subject"]),
            text=body(message, "plain"),
            html=body(message, "html"),
            sent_at=message["Date"].datetime.replace(tzinfo=UTC),
            headers={name: str(value) for name, value in message.items()},
        )


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return part.get_content() if part else ""


def as_json(mail: StoredMail) -> dict[str, object]:
    values = asdict(mail)
    return {"from": values.pop("sender"), **values}
