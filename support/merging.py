"""Which organization a wrongly made one's customer belongs to: the way to the dry run."""

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.models import Organization
from orgs.policy import Permission
from support.access import AdminRequest, staff_may
from support.acts import ACTS
from support.acts.base import found
from support.acts.customers import MergeCustomer, merge_key


class OwnerForm(forms.Form):
    owner = forms.CharField(
        label=gettext_lazy("Organization that it belongs to"),
        max_length=50,
        help_text=gettext_lazy("Its name in addresses, as in /orgs/acme/."),
    )

    def clean_owner(self) -> Organization:
        organization = Organization.objects.filter(slug=self.cleaned_data["owner"].strip().lower()).first()
        if organization is None:
            raise forms.ValidationError(_("There is no organization of this name. Check it."))
        return organization


@staff_may(GET=Permission.CUSTOMERS_MERGE)
def merge(request: AdminRequest, key: str) -> HttpResponse:
    """Ask for the owner, then show what would move."""
    source = found(Organization.objects.all(), key)
    form = OwnerForm(request.GET if "owner" in request.GET else None)
    if form.is_valid():
        act = ACTS[MergeCustomer.name]
        return HttpResponseRedirect(act.url(merge_key(source, form.cleaned_data["owner"])))
    page = {"form": form, "source": source}
    return render(request, "support/merge.html", page, status=422 if form.errors else 200)
