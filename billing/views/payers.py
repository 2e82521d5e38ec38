"""The pages of a payment link, for its holder: no sign-in, no session, one press to Stripe's page.

Nothing is done on GET, since mail scanners open every link. The address is the key; by the portal's own
``Referrer-Policy: same-origin`` no other site is told it, not Stripe's either. Not ``no-referrer``: under
that, browsers send a form with ``Origin: null``, which the CSRF check refuses.
"""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import limits
from accounts.access import Audience, open_to
from billing.models import PaymentLink
from billing.operations.payment_links import LinkEnded, ask_for_new_link, ended_because, open_link
from billing.payment_tokens import BadPaymentToken, link_id_in
from billing.selectors import payment_link
from billing.views.see_other import HttpResponseSeeOther
from orgs.errors import Refused

Answer = Callable[[HttpRequest, PaymentLink], HttpResponse]


def _of_link(answer: Answer) -> Callable[[HttpRequest, str], HttpResponse]:
    """Find the link of the address; one that was altered or is unknown gets 404."""

    @functools.wraps(answer)
    def view(request: HttpRequest, token: str) -> HttpResponse:
        limits.count_visit(request, "payment_link")
        try:
            return answer(request, payment_link(link_id_in(token)))
        except (BadPaymentToken, PaymentLink.DoesNotExist):
            return render(request, "billing/pay_unknown.html", status=404)

    return view


@open_to(Audience.ANYONE, "GET", "POST")
@_of_link
def pay(request: HttpRequest, link: PaymentLink) -> HttpResponse:
    """What is asked, of which organization; pressed, on to Stripe's page."""
    ended = ended_because(link)
    if ended is not None:
        return render(request, "billing/pay_ended.html", {"link": link, "ended": ended}, status=410)
    if request.method != "POST":
        return _page(request, link)
    if link.invoice is not None and request.POST.get("amount") != str(link.invoice.amount_remaining):
        return _page(request, link, changed=True)
    try:
        return HttpResponseSeeOther(open_link(link))
    except LinkEnded:
        link.refresh_from_db()
        ended = ended_because(link)
        return render(request, "billing/pay_ended.html", {"link": link, "ended": ended}, status=410)
    except Refused as refused:
        return _page(request, link, refusal=str(refused.message))


def _page(
    request: HttpRequest, link: PaymentLink, *, changed: bool = False, refusal: str = ""
) -> HttpResponse:
    context = {"link": link, "changed": changed, "refusal": refusal}
    return render(request, "billing/pay.html", context, status=409 if changed or refusal else 200)


@open_to(Audience.ANYONE, "POST")
@_of_link
def pay_ask(request: HttpRequest, link: PaymentLink) -> HttpResponse:
    """Ask for a new link. The answer is the same whether its maker still can make one."""
    ask_for_new_link(link)
    return render(request, "billing/pay_asked.html", {"link": link})


@open_to(Audience.ANYONE, "GET")
def pay_thanks(request: HttpRequest) -> HttpResponse:
    """Back from Stripe's card page. It names nothing, since its address is told to Stripe."""
    return render(request, "billing/pay_thanks.html")


@open_to(Audience.ANYONE, "GET")
def pay_stopped(request: HttpRequest) -> HttpResponse:
    """Back from Stripe's card page by its way out."""
    return render(request, "billing/pay_stopped.html")
