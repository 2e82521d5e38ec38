"""How often somebody may try. django-allauth counts (ACCOUNT_RATE_LIMITS); here stands whom a count is for,
and how long it makes them wait.

Failed sign-ins count for the account. All accounts together count for the address that they are tried from,
but only at many times as many: a whole office may sign in from one. The counts lie in Postgres, so they hold
while Redis is down.
"""

import math
import time
from typing import NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import RateLimitUsage, consume, get_cache_key, get_rates
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User

APP = "allauth.account"
BY_ACCOUNT, BY_ADDRESS = "login_failed", "login_failed_from_address"
MAILED = "account_already_exists"
# Which limit each page of allauth's keeps: a person who is stopped there has reached it.
LIMIT_OF_PAGE = {
    "account_login": "login",
    "account_signup": "signup",
    "account_email": "manage_email",
    "account_change_password": "change_password",
    "account_set_password": "change_password",
    "account_reset_password": "reset_password",
    "account_reset_password_from_key": "reset_password_from_key",
    "account_reauthenticate": "reauthenticate",
    "mfa_reauthenticate": "reauthenticate",
}

KNOWN_BROWSER = "__Host-known_browser" if settings.SESSION_COOKIE_SECURE else "known_browser"
KNOWN_FOR_SECONDS = 180 * 24 * 3600


def account_key(request: HttpRequest, email: str) -> str:
    """Whose count a sign-in with that address is on, whether or not there is such an account.

    A browser that has signed in to the account before has a count of its own, so that guesses from elsewhere
    don't keep the account's owner out (OWASP, "Blocking Brute Force Attacks": device cookies).
    """
    login = email.strip().lower()
    browser = request.get_signed_cookie(KNOWN_BROWSER, default="", salt=login, max_age=KNOWN_FOR_SECONDS)
    return f"{login} {browser}"


def remember_browser(response: HttpResponse, user: User) -> None:
    """Note in the browser that it has signed in to this account."""
    response.set_signed_cookie(
        KNOWN_BROWSER,
        get_random_string(22),
        salt=user.email,
        max_age=KNOWN_FOR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def count_sign_in(request: HttpRequest, key: str) -> RateLimitUsage:
    """Count a sign-in as failed, before the password is looked at. Roll that back if the password is right.

    ``key``: of the account, from ``account_key``. Raises ImmediateHttpResponse: a page that tells the wait.
    """
    of_account = consume(request, app=APP, action=BY_ACCOUNT, key=key)
    if of_account is None:
        refuse(
            request,
            _("Too many failed sign-ins for this account."),
            seconds_left(request, BY_ACCOUNT, key=key),
        )
    of_address = consume(request, app=APP, action=BY_ADDRESS)
    if of_address is None:
        of_account.rollback()
        refuse(request, _("Too many failed sign-ins from your network."), seconds_left(request, BY_ADDRESS))
    return RateLimitUsage(usage=[*of_account.usage, *of_address.usage])


def refuse_exhausted_codes(request: HttpRequest, user: User) -> None:
    """Refuse another code of the second factor, if that person has had as many wrong ones as they may.

    Raises ImmediateHttpResponse: a page that tells the wait.
    """
    # The key is that of allauth.mfa.base.internal.flows.check_rate_limit, which counts.
    seconds = seconds_left(request, BY_ACCOUNT, key=f"mfa-auth-user-{user.pk}")
    if seconds:
        refuse(request, _("Too many wrong codes."), seconds)


def may_mail_again(request: HttpRequest, email: str) -> bool:
    """Count a mail to a person who signs up and has an account: no stranger fills their mailbox with it."""
    return consume(request, app=APP, action=MAILED, key=email.lower()) is not None


def count_visit(request: HttpRequest, action: str) -> None:
    """Count a request to pages without sign-in. Raises ImmediateHttpResponse: a page that tells the wait."""
    seconds = seconds_to_wait(request, action)
    if seconds:
        refuse(request, _("Too many requests from your network."), seconds)


def seconds_to_wait(request: HttpRequest, action: str) -> int:
    """Count a request. 0: it may go on."""
    if consume(request, app=APP, action=action, limit_get=True) is not None:
        return 0
    return max(seconds_left(request, action), 1)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """The page for a person who has reached one of allauth's limits (the URLs name it as ``handler429``)."""
    page = request.resolver_match.url_name if request.resolver_match else None
    action = LIMIT_OF_PAGE.get(page or "", "")
    seconds = seconds_left(request, action, key=request.POST.get("email", "").strip().lower())
    return _page(request, _("To keep accounts safe we stopped after several tries."), seconds)


def seconds_left(request: HttpRequest, action: str, *, key: str = "") -> int:
    """For how many seconds allauth still refuses ``action``, of that ``key``; 0: it doesn't."""
    left = 0.0
    for rate in get_rates(app=APP, action=action):
        if rate.per == "user" and not request.user.is_authenticated:
            continue
        times = cache.get(get_cache_key(request, app=APP, action=action, rate=rate, key=key), [])
        if len(times) >= rate.amount:
            # The newest stands first. A place is free when the oldest is as old as the limit reaches back.
            left = max(left, times[-1] + rate.duration - time.time())
    return math.ceil(left)


def refuse(request: HttpRequest, reason: str, seconds: int) -> NoReturn:
    raise ImmediateHttpResponse(_page(request, reason, seconds))


def _page(request: HttpRequest, reason: str, seconds: int) -> HttpResponse:
    # Refused though no limit is reached: many tried in one instant, and the count was not free for a second.
    seconds = max(seconds, 1)
    response = render(request, "429.html", {"reason": reason, "wait": in_words(seconds)}, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def in_words(seconds: int) -> str:
    """A time to wait as people say it, never less than it is: "40 seconds", "4 minutes"."""
    if seconds < 60:
        return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": seconds}
    minutes = math.ceil(seconds / 60)
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
