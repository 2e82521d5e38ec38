"""Files that programs ask for at fixed addresses."""

from datetime import UTC, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from accounts.access import Audience, open_to

# "Less than a year into the future" is recommended (RFC 9116, 2.5.5): a file that nobody keeps runs out.
SECURITY_FILE_LASTS = timedelta(days=180)


@open_to(Audience.ANYONE, "GET")
def favicon(_request: HttpRequest) -> HttpResponse:
    """For programs that read no page: pages name their icon themselves."""
    return redirect(static("img/favicon.ico"))


@open_to(Audience.ANYONE, "GET")
def robots(_request: HttpRequest) -> HttpResponse:
    """Nothing but the start page is for search engines (RFC 9309)."""
    return _text("User-agent: *", "Allow: /$", "Disallow: /")


@open_to(Audience.ANYONE, "GET")
def security(_request: HttpRequest) -> HttpResponse:
    """Where to report a weakness (RFC 9116)."""
    expires = (timezone.now() + SECURITY_FILE_LASTS).astimezone(UTC)
    return _text(
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%d}T00:00:00Z",
        f"Preferred-Languages: {settings.LANGUAGE_CODE}",
        f"Canonical: {settings.SITE_URL}{reverse('security')}",
    )


def _text(*lines: str) -> HttpResponse:
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")
