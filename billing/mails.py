"""The mails about money."""

from collections.abc import Callable
from datetime import date
from functools import partial

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from billing.actions.words import plan
from billing.declines import reason_of
from billing.details import part_name
from billing.failures import NOT_WHOLE, act_words, advice_of, failure_words
from billing.methods import method_name, method_of
from billing.models import Invoice, InvoiceStatus, PaymentMethod, PaymentStatus
from billing.money import format_money
from orgs.editions import CREDIT_CURRENCY, edition_name
from orgs.policy import Permission, somebody_of
from orgs.usage_limits import Limit
from outbox.models import OutgoingEmail
from outbox.registry import MailKind, NoLongerNeeded, RenderedMail
from outbox.rendering import render_mail

# Of the mails that speak to everybody who may see billing.
_kind = partial(MailKind, permission=Permission.BILLING_VIEW)


def _card_updated(mail: OutgoingEmail) -> RenderedMail:
    return _about_card("card_updated", mail)


def _card_added_by_link(mail: OutgoingEmail) -> RenderedMail:
    return _about_card("card_added_by_link", mail)


def _about_card(template: str, mail: OutgoingEmail) -> RenderedMail:
    method = method_name(*(mail.params[f"method_{name}"] for name in ("kind", "brand", "last4")))
    return render_mail(template, {**mail.params, "method": method}, ours=_billing_page(mail))


def _payment_failed(mail: OutgoingEmail) -> RenderedMail:
    """Of an invoice that is still to be paid, with the next attempt as it is planned now."""
    invoice = Invoice.objects.open().filter(pk=mail.params["invoice_id"]).first()
    if invoice is None:
        raise NoLongerNeeded("The invoice is no longer to be paid.")
    slug, next_attempt = mail.params["slug"], invoice.next_attempt_at
    return render_mail(
        "payment_failed",
        {**mail.params, "next_attempt": next_attempt.date() if next_attempt else None},
        ours={
            "amount": format_money(mail.params["amount"], mail.params["currency"]),
            "reason": reason_of(mail.params["reason"]),
            "url": settings.SITE_URL + reverse("billing", args=[slug]),
            "invoice_url": settings.SITE_URL + reverse("invoice", args=[slug, mail.params["invoice_id"]]),
        },
    )


def _confirmation_needed(mail: OutgoingEmail) -> RenderedMail:
    asked = Invoice.objects.open().filter(payment_status=PaymentStatus.REQUIRES_ACTION)
    if not asked.filter(pk=mail.params["invoice_id"]).exists():
        raise NoLongerNeeded("The payment doesn't wait for anybody any more.")
    invoice_url = reverse("invoice", args=[mail.params["slug"], mail.params["invoice_id"]])
    return render_mail(
        "confirmation_needed",
        mail.params,
        ours={
            "amount": format_money(mail.params["amount"], mail.params["currency"]),
            "url": settings.SITE_URL + invoice_url,
        },
    )


def _plan_changed(mail: OutgoingEmail) -> RenderedMail:
    """A plan that was changed, one that will be, and one that stays after all."""
    params = mail.params
    ours = _billing_page(mail)
    if "edition" in params:
        ours |= {
            "plan": plan({"edition": params["edition"], "seats": params["seats"]}),
            "charged": format_money(params["charged"], params["currency"]) if params["charged"] else "",
            "period_total": format_money(params["period_total"], params["currency"]),
        }
    return render_mail("plan_changed", {**params, "day": date.fromisoformat(params["day"])}, ours=ours)


def _subscription_mail(code: str, **worded: Callable[[str], object]) -> MailKind:
    """Of what a person did with the subscription. ``worded``: what makes a parameter readable."""

    def render(mail: OutgoingEmail) -> RenderedMail:
        readable = {name: word(mail.params[name]) for name, word in worded.items()}
        return render_mail(code, {**mail.params, **readable}, ours=_billing_page(mail))

    return _kind(code, render)


def _billing_page(mail: OutgoingEmail) -> dict[str, str]:
    return {"url": settings.SITE_URL + reverse("billing", args=[mail.params["slug"]])}


def _method_expires(mail: OutgoingEmail) -> RenderedMail:
    """Not of one that was removed meanwhile, or that the bank has renewed."""
    dated = {name: mail.params[name] for name in ("exp_month", "exp_year")}
    method = PaymentMethod.objects.filter(pk=mail.params["method_id"], **dated).first()
    read = method_of(method.saved) if method else None
    if read is None:
        raise NoLongerNeeded("The payment method is gone, or was renewed.")
    return render_mail(
        "method_expires",
        {**mail.params, "method": read.name, "valid_until": read.valid_until},
        ours=_billing_page(mail),
    )


def _invoice_issued(mail: OutgoingEmail) -> RenderedMail:
    """Stripe's page opens to everybody who has its address: it is looked up, and never stored in a mail."""
    standing = [InvoiceStatus.OPEN, InvoiceStatus.PAID]
    invoice = Invoice.objects.filter(pk=mail.params["invoice_id"], status__in=standing).first()
    if invoice is None or not invoice.hosted_url:
        raise NoLongerNeeded("The invoice is no longer to be shown.")
    return render_mail(
        "invoice_issued",
        {**mail.params, "issued_at": invoice.issued_at, "due_at": invoice.due_at},
        ours={
            "amount": format_money(mail.params["amount"], mail.params["currency"]),
            "url": invoice.hosted_url,
        },
    )


def _details_changed(mail: OutgoingEmail) -> RenderedMail:
    parts = [part_name(code) for code in mail.params["parts"].split(",")]
    actor = gettext("The billing portal") if mail.params["by_portal"] else somebody_of(mail.params["role"])
    context = {**mail.params, "actor": actor, "parts": parts}
    return render_mail("details_changed", context, ours=_billing_page(mail))


def _act_failed(mail: OutgoingEmail) -> RenderedMail:
    outcome = {name: mail.params[name] for name in ("code", "reason")}
    context = {
        **mail.params,
        "act": act_words(mail.params["act"]),
        "outcome": failure_words(outcome),
        "is_partial": outcome["code"] in NOT_WHOLE,
        "asked": date.fromisoformat(mail.params["asked"]),
    }
    return render_mail("act_failed", context, ours={"advice": advice_of(outcome), **_billing_page(mail)})


def _credits_bought(mail: OutgoingEmail) -> RenderedMail:
    readable = {
        "credits": f"{mail.params['credits']:,}",
        "expires": date.fromisoformat(mail.params["expires"]),
    }
    amount = format_money(mail.params["amount"], mail.params["currency"])
    return render_mail(
        "credits_bought", {**mail.params, **readable}, ours={"amount": amount, **_billing_page(mail)}
    )


def _credits_expire(mail: OutgoingEmail) -> RenderedMail:
    expires = date.fromisoformat(mail.params["expires"])
    if expires < timezone.now().date():
        raise NoLongerNeeded("The credits have expired.")
    readable = {"credits": f"{mail.params['credits']:,}", "expires": expires}
    return render_mail("credits_expire", {**mail.params, **readable}, ours=_billing_page(mail))


def _threshold_reached(mail: OutgoingEmail) -> RenderedMail:
    """Of the credits, of the budget, or of both, as it was when the threshold was seen: a sentence each."""
    params = mail.params
    credits_percent, budget_percent = (params.get(f"{limit}_percent", 0) for limit in Limit)
    sentences = []
    if credits_percent:
        sentences.append(
            gettext("%(used)s of the %(most)s credits are used.")
            % {"used": intcomma(params["credits_used"]), "most": intcomma(params["credits_most"])}
        )
    if budget_percent:
        sentences.append(
            gettext("Credits on demand cost %(used)s so far, of a budget of %(most)s.")
            % {name: format_money(params[f"budget_{name}"], CREDIT_CURRENCY) for name in ("used", "most")}
        )
    stops_at = params["stops_at"]
    context = {
        **params,
        "credits_percent": credits_percent,
        "budget_percent": budget_percent,
        "is_stopped": bool(stops_at) and params.get(f"{stops_at}_percent", 0) == 100,
        "on_demand": credits_percent == 100,
        "ends": date.fromisoformat(params["ends"]),
    }
    url = settings.SITE_URL + reverse("usage_limits", args=[params["slug"]])
    return render_mail("threshold_reached", context, ours={"sentences": sentences, "url": url})


def _payment_link_asked(mail: OutgoingEmail) -> RenderedMail:
    url = settings.SITE_URL + reverse("payment_links", args=[mail.params["slug"]])
    return render_mail("payment_link_asked", mail.params, ours={"url": url})


ACT_FAILED_MAIL = MailKind("act_failed", _act_failed)
CARD_ADDED_BY_LINK_MAIL = _kind("card_added_by_link", _card_added_by_link)
CARD_UPDATED_MAIL = _kind("card_updated", _card_updated)
CONFIRMATION_NEEDED_MAIL = _kind("confirmation_needed", _confirmation_needed)
CREDITS_BOUGHT_MAIL = _kind("credits_bought", _credits_bought)
CREDITS_EXPIRE_MAIL = _kind("credits_expire", _credits_expire)
DETAILS_CHANGED_MAIL = _kind("details_changed", _details_changed)
INVOICE_ISSUED_MAIL = _kind("invoice_issued", _invoice_issued)
METHOD_EXPIRES_MAIL = _kind("method_expires", _method_expires)
PAYMENT_FAILED_MAIL = _kind("payment_failed", _payment_failed)
PAYMENT_LINK_ASKED_MAIL = MailKind("payment_link_asked", _payment_link_asked)
PLAN_CHANGED_MAIL = _kind("plan_changed", _plan_changed)
SUBSCRIPTION_STARTED_MAIL = _subscription_mail("subscription_started", edition=edition_name)
SUBSCRIPTION_ENDING_MAIL = _subscription_mail("subscription_ending", ends=date.fromisoformat)
SUBSCRIPTION_KEPT_MAIL = _subscription_mail("subscription_kept", renews=date.fromisoformat)
THRESHOLD_REACHED_MAIL = _kind("threshold_reached", _threshold_reached)
