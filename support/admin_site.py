"""The Django admin for support staff: signed in through the portal's own pages, with a second factor."""

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.access import sign_in_first


class PortalAdminConfig(AdminConfig):
    default_site = "support.admin_site.PortalAdminSite"


class PortalAdminSite(AdminSite):
    site_header = gettext_lazy("Support")
    site_title = gettext_lazy("Support")
    index_title = gettext_lazy("Records")
    site_url = "/orgs/"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, and only with a second factor: a leaked password alone opens nobody's records."""
        return super().has_permission(request) and is_mfa_enabled(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """The portal's own sign-in, with its rate limits, instead of the admin's form."""
        if not request.user.is_authenticated:
            return sign_in_first(request, resume_at=request.GET.get("next") or reverse("admin:index"))
        if request.user.is_staff:
            messages.warning(request, _("Support staff need a second factor. Activate one to go on."))
            return HttpResponseRedirect(reverse("mfa_index"))
        return HttpResponseRedirect(reverse("organizations"))
