"""The billing details: the form, what the next invoice's head becomes of it, and tax ids."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.details_forms import DetailsForm, TaxIdForm
from billing.models import OperationState, StripeOperation
from billing.models.accounts import ADDRESS_FIELDS
from billing.models.operations import MISSING_SCOPE
from billing.operations.details import add_tax_id, remove_tax_id, update_details
from billing.selectors.billing_details import DetailsPage, details_page, head_of
from billing.views.waiting import FORBIDDEN, GOES_ON
from orgs.access import OrgRequest, requires
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission

HEAD_FIELDS = ("name", "po_number", "email")


@requires(GET=Permission.BILLING_DETAILS_UPDATE, POST=Permission.BILLING_DETAILS_UPDATE)
def billing_details(request: OrgRequest) -> HttpResponse:
    page = details_page(request.organization)
    if request.method != "POST":
        return _show(request, page)
    form = DetailsForm(request.POST, details=page.details)
    if not form.is_valid():
        return _show(request, page, form=form, status=422)
    try:
        operation = update_details(actor=request.membership, changes=form.changes())
    except PageOutdated as outdated:
        messages.error(request, str(outdated.message))
        return _show(request, details_page(request.organization), status=409)
    except Refused as refused:
        form.add_error(None, str(refused.message))
        return _show(request, page, form=form, status=422)
    if _is_refused(operation, form):
        return _show(request, page, form=form, status=422)
    _tell(request, operation, _("The details are saved. The next invoice has them."))
    return redirect("billing_details", request.organization.slug)


@requires(POST=Permission.BILLING_DETAILS_UPDATE)
def billing_details_preview(request: OrgRequest) -> HttpResponse:
    """The next invoice's head as it would be with what is typed. Saves nothing."""
    page = details_page(request.organization)
    typed = {name: request.POST.get(name, "").strip()[:500] for name in (*ADDRESS_FIELDS, *HEAD_FIELDS)}
    details = {**typed, "address": {name: typed[name] for name in ADDRESS_FIELDS}}
    return render(request, "billing/_details_head.html", {"head": head_of(details, page.tax_ids)})


@requires(POST=Permission.BILLING_DETAILS_UPDATE)
def tax_id_add(request: OrgRequest) -> HttpResponse:
    page = details_page(request.organization)
    form = TaxIdForm(request.POST)
    if not form.is_valid():
        return _show(request, page, tax_id_form=form, status=422)
    try:
        operation = add_tax_id(
            actor=request.membership, type_=form.cleaned_data["type"], value=form.cleaned_data["value"]
        )
    except Refused as refused:
        form.add_error(None, str(refused.message))
        return _show(request, page, tax_id_form=form, status=422)
    if _is_refused(operation, form):
        return _show(request, page, tax_id_form=form, status=422)
    _tell(request, operation, _("The tax id is saved. The next invoice has it."))
    return redirect("billing_details", request.organization.slug)


@requires(GET=Permission.BILLING_DETAILS_UPDATE, POST=Permission.BILLING_DETAILS_UPDATE)
def tax_id_remove(request: OrgRequest, tax_id: str) -> HttpResponse:
    """Ask, then take a tax id off coming invoices."""
    rows = details_page(request.organization).tax_ids
    row = next((one for one in rows if one.id == tax_id), None)
    if row is None:
        raise Http404
    if request.method != "POST":
        cancel_url = reverse("billing_details", args=[request.organization.slug])
        return render(request, "billing/tax_id_remove.html", {"row": row, "cancel_url": cancel_url})
    try:
        operation = remove_tax_id(actor=request.membership, tax_id=tax_id)
    except LookupError:
        raise Http404 from None
    _tell(request, operation, _("The tax id was removed. The next invoice is without it."))
    return redirect("billing_details", request.organization.slug)


def _show(
    request: OrgRequest,
    page: DetailsPage,
    *,
    form: DetailsForm | None = None,
    tax_id_form: TaxIdForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "page": page,
        "form": form or DetailsForm(details=page.details),
        "tax_id_form": tax_id_form or TaxIdForm(),
    }
    return render(request, "billing/details.html", context, status=status)


def _is_refused(operation: StripeOperation | None, form: DetailsForm | TaxIdForm) -> bool:
    """Whether Stripe did not accept what was typed, which the form then says at the field."""
    if operation is None or operation.state != OperationState.FAILED:
        return False
    if MISSING_SCOPE in operation.result:
        form.add_error(None, str(FORBIDDEN))
    else:
        form.refuse(code=operation.result.get("reason", ""), param=operation.result.get("param", ""))
    return True


def _tell(request: OrgRequest, operation: StripeOperation | None, done: str) -> None:
    if operation is None or operation.state == OperationState.DONE:
        messages.success(request, done)
    elif operation.state == OperationState.FAILED:
        messages.error(request, str(FORBIDDEN))
    else:
        messages.warning(request, str(GOES_ON))
