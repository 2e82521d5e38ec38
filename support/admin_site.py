"""The Django admin for support staff: signed in through the portal's own pages, with a second factor."""

from collections.abc import Iterable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.access import sign_in_first


class ReadOnly:
    """Reading and searching: a change made in a form would pass by every rule, mail and audit row."""

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def get_actions(self, _request: HttpRequest) -> dict[str, object]:
        return {}


class PortalAdminSite(AdminSite):
    """Whatever an app registers, libraries included, is read-only; staff actions are views of their own."""

    site_header = gettext_lazy("Support")
    site_title = gettext_lazy("Support")
    index_title = gettext_lazy("Records")
    site_url = "/orgs/"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        base = admin_class or ModelAdmin
        super().register(model_or_iterable, type(base.__name__, (ReadOnly, base), {}), **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, and only with a second factor: a leaked password alone opens nobody's records."""
        user = request.user
        return super().has_permission(request) and user.is_authenticated and is_mfa_enabled(user)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """The portal's own sign-in, with its rate limits, instead of the admin's form."""
        if not request.user.is_authenticated:
            return sign_in_first(request, resume_at=request.GET.get("next") or reverse("admin:index"))
        if request.user.is_staff:
            messages.warning(request, _("Support staff need a second factor. Activate one to go on."))
            return HttpResponseRedirect(reverse("mfa_index"))
        return HttpResponseRedirect(reverse("organizations"))
