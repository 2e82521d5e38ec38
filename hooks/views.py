"""The pages of webhooks, and the acts on one."""

import uuid
from contextlib import suppress

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from hooks import services
from hooks.forms import EndpointForm, VersionForm
from hooks.models import Delivery, Endpoint
from hooks.selectors import delivery_page, endpoint_page, endpoint_rows
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission

MANAGE = Permission.WEBHOOKS_MANAGE


@requires(GET=MANAGE)
def webhooks(request: OrgRequest) -> HttpResponse:
    context = {"endpoints": endpoint_rows(request.organization), "most": services.MOST_ENDPOINTS}
    return render(request, "hooks/webhooks.html", context)


@requires(GET=MANAGE, POST=MANAGE, sensitive={"POST"})
def webhook_new(request: OrgRequest) -> HttpResponse:
    """Add an endpoint, and show its secret. Asks for the password again: it sends news out of the house."""
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            endpoint, secret = services.make_endpoint(
                actor=request.membership,
                key=form.cleaned_data["key"],
                url=form.cleaned_data["url"],
                events=form.events,
            )
        except Refused as refused:
            form.add_error(None, str(refused.message))
        else:
            return _show_secret(request, endpoint, secret)
    context = {"form": form, "cancel_url": _home(request)}
    return render(request, "hooks/form.html", context, status=422 if form.errors else 200)


@requires(GET=MANAGE)
def webhook(request: OrgRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """One endpoint with its deliveries, newest first."""
    try:
        after = uuid.UUID(request.GET["after"]) if "after" in request.GET else None
    except ValueError:
        raise Http404 from None
    page = endpoint_page(_endpoint_or_404(request, endpoint_id), after=after)
    return render(request, "hooks/webhook.html", {"page": page})


@requires(GET=MANAGE, POST=MANAGE, sensitive={"POST"})
def webhook_change(request: OrgRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """Another address, or other events."""
    endpoint = _endpoint_or_404(request, endpoint_id)
    form = EndpointForm(request.POST) if request.method == "POST" else EndpointForm.of(endpoint)
    status = 200
    if form.is_valid():
        try:
            services.change_endpoint(
                actor=request.membership,
                endpoint_id=endpoint.pk,
                shown_version=form.cleaned_data["version"],
                url=form.cleaned_data["url"],
                events=form.events,
            )
        except PageOutdated as outdated:
            messages.error(request, str(outdated.message))
            endpoint.refresh_from_db()
            form, status = EndpointForm.of(endpoint), 409
        else:
            messages.success(request, _("Webhook saved."))
            return redirect("webhook", request.organization.slug, endpoint.pk)
    context = {"form": form, "endpoint": endpoint, "cancel_url": _page_of(request, endpoint)}
    return render(request, "hooks/form.html", context, status=422 if form.errors else status)


@requires(GET=MANAGE, POST=MANAGE, sensitive={"POST"})
def webhook_secret(request: OrgRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """Ask, then make a new secret and show it."""
    endpoint = _endpoint_or_404(request, endpoint_id)
    context = {"endpoint": endpoint, "cancel_url": _page_of(request, endpoint)}
    if request.method != "POST":
        return render(request, "hooks/secret_new.html", context)
    form = VersionForm(request.POST)
    try:
        endpoint, secret = services.roll_secret(
            actor=request.membership,
            endpoint_id=endpoint.pk,
            shown_version=form.cleaned_data["version"] if form.is_valid() else 0,
        )
    except PageOutdated as outdated:
        endpoint.refresh_from_db()
        return render(request, "hooks/secret_new.html", {**context, "refusal": outdated.message}, status=409)
    return _show_secret(request, endpoint, secret)


@requires(POST=MANAGE)
def webhook_switch(request: OrgRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """Switch it on or off, as the pressed button says."""
    endpoint = _endpoint_or_404(request, endpoint_id)
    on = request.POST.get("on")
    if on not in {"0", "1"}:
        return redirect(_page_of(request, endpoint))
    services.switch_endpoint(actor=request.membership, endpoint_id=endpoint.pk, on=on == "1")
    if on == "1":
        messages.success(request, _("The webhook is on."))
    else:
        messages.success(request, _("The webhook is off. Nothing is sent, and nothing is kept for later."))
    return redirect(_page_of(request, endpoint))


@requires(POST=MANAGE)
def webhook_test(request: OrgRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    endpoint = _endpoint_or_404(request, endpoint_id)
    try:
        delivery = services.send_test(actor=request.membership, endpoint_id=endpoint.pk)
    except Refused as refused:
        messages.error(request, str(refused.message))
        return redirect(_page_of(request, endpoint))
    return redirect("webhook_delivery", request.organization.slug, delivery.pk)


@requires(GET=MANAGE, POST=MANAGE)
def webhook_remove(request: OrgRequest, endpoint_id: uuid.UUID) -> HttpResponse:
    """Ask, then remove."""
    endpoint = _endpoint_or_404(request, endpoint_id)
    if request.method != "POST":
        context = {"endpoint": endpoint, "cancel_url": _page_of(request, endpoint)}
        return render(request, "hooks/remove.html", context)
    # Somebody else may have removed it at the same time: that is what was wanted.
    with suppress(Endpoint.DoesNotExist):
        services.remove_endpoint(actor=request.membership, endpoint_id=endpoint.pk)
    messages.success(request, _("The webhook to %(host)s was removed.") % {"host": endpoint.host})
    return redirect(_home(request))


@requires(GET=MANAGE)
def webhook_delivery(request: OrgRequest, delivery_id: uuid.UUID) -> HttpResponse:
    """One delivery: what was sent, and what the server said."""
    page = delivery_page(_delivery_or_404(request, delivery_id))
    if request.htmx and page.is_watched:
        return HttpResponse(status=204)
    return render(request, "hooks/delivery.html", {"page": page})


@requires(POST=MANAGE)
def webhook_again(request: OrgRequest, delivery_id: uuid.UUID) -> HttpResponse:
    delivery = _delivery_or_404(request, delivery_id)
    try:
        services.replay(actor=request.membership, delivery_id=delivery.pk)
    except Refused as refused:
        messages.error(request, str(refused.message))
    return redirect("webhook_delivery", request.organization.slug, delivery.pk)


def _show_secret(request: OrgRequest, endpoint: Endpoint, secret: str) -> HttpResponse:
    context = {"endpoint": endpoint, "secret": secret}
    return render(request, "hooks/secret.html", context)


def _home(request: OrgRequest) -> str:
    return reverse("webhooks", args=[request.organization.slug])


def _page_of(request: OrgRequest, endpoint: Endpoint) -> str:
    return reverse("webhook", args=[request.organization.slug, endpoint.pk])


def _endpoint_or_404(request: OrgRequest, endpoint_id: uuid.UUID) -> Endpoint:
    return get_object_or_404(Endpoint.objects.for_org(request.organization).kept(), pk=endpoint_id)


def _delivery_or_404(request: OrgRequest, delivery_id: uuid.UUID) -> Delivery:
    deliveries = Delivery.objects.for_org(request.organization).filter(endpoint__removed_at=None)
    return get_object_or_404(deliveries.select_related("endpoint"), pk=delivery_id)
