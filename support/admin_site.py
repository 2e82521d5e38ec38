"""The Django admin for support staff: signed in through the portal's own pages, with a second factor, and
with a staff session open.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC
from functools import wraps
from typing import Any, cast

from allauth.account.views import logout
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.access import sign_in_first
from billing.selectors.on_demand import missing_lately
from billing.selectors.prohibitions import prohibitions
from orgs.policy import Permission, may
from support.access import AdminRequest, note_request, open_a_session_first, staff_of
from support.filters import OfOrganizationFilter, is_of_organizations
from support.json_words import shown_json
from support.principals import Staff
from support.urls import PAGES
from support.views import front

# From a record to its page in the product, which none has; suggestions for fields of forms, which none has.
UNUSED = {"view_on_site", "autocomplete"}
# The years are those that Django can reckon with on both sides.
DATE_PARTS = {"year": "[12][0-9]{3}", "month": "0?[1-9]|1[0-2]", "day": "0?[1-9]|[12][0-9]|3[01]"}


class ReadOnly:
    """Reading and searching: a change made in a form would pass by every rule, mail and audit row."""

    # A search need not count the whole table beside what it found.
    show_full_result_count = False

    def has_add_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, _obj: object = None) -> bool:
        return may(getattr(request, "staff", None), Permission.RECORDS_VIEW)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_delete_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Also by organization, where rows have one."""
        page = cast("ModelAdmin[Any]", self)
        declared = list(super().get_list_filter(request))  # type: ignore[misc]
        return [*declared, OfOrganizationFilter] if is_of_organizations(page.model) else declared

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        declared = super().get_exclude(request, obj) or []  # type: ignore[misc]
        return [*declared, *shown_json(cast("ModelAdmin[Any]", self).model)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """JSON in words, where the page doesn't leave it out."""
        left_out = super().get_exclude(request, obj) or []  # type: ignore[misc]
        told = shown_json(cast("ModelAdmin[Any]", self).model)
        declared = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return [*declared, *(words for name, words in told.items() if name not in left_out)]

    def get_actions(self, _request: HttpRequest) -> dict[str, object]:
        return {}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """The record of an id from the path; None as well for an id that the column can't hold."""
        # Django's admin spells a NUL as _00 in a path, where the middleware doesn't know it.
        if "\0" in object_id:
            return None
        return cast("Model | None", super().get_object(request, object_id, from_field))  # type: ignore[misc]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the filters of the page itself ask for: Django's own rule opens every column.

        Otherwise a search by a column that no page shows, a password's hash even, would read it bit by bit.
        """
        page = cast("ModelAdmin[Any]", self)
        column, _, kind = lookup.rpartition("__")
        if column == page.date_hierarchy and kind in DATE_PARTS:
            return bool(re.fullmatch(DATE_PARTS[kind], value))
        # A filter is a column, or a class that names its parameter.
        names = [getattr(one, "parameter_name", one) for one in page.get_list_filter(request)]
        return any(lookup in {name, f"{name}__exact", f"{name}__isnull"} for name in names)


class PortalAdminSite(AdminSite):
    """Everything registered, by libraries too, is read-only; staff actions are views of their own."""

    site_header = gettext_lazy("Support")
    site_title = gettext_lazy("Support")
    index_title = gettext_lazy("Records")
    index_template = "support/index.html"
    site_url = "/orgs/"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        base = admin_class or ModelAdmin
        inlines = [type(inline.__name__, (ReadOnly, inline), {}) for inline in base.inlines]
        read_only = type(base.__name__, (ReadOnly, base), {"inlines": inlines})
        super().register(model_or_iterable, read_only, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, and only with a second factor: a leaked password alone opens no records."""
        if getattr(request, "staff", None):
            return True
        user = request.user
        return super().has_permission(request) and user.is_authenticated and is_mfa_enabled(user)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:  # type: ignore[override]  # of more kinds than the stubs name
        """The gate of every page: support staff with an open session, each of whose requests is written down.

        Records show times in UTC, as logs and Stripe do, whatever zone a person chose for the pages.
        """
        inner = super().admin_view(self._in_session(view), cacheable)

        @wraps(inner)
        def in_utc(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            cast("AdminRequest", request).staff = cast("Staff", staff_of(request))
            with timezone.override(UTC):
                response: HttpResponse = inner(request, *args, **kwargs)
                return response.render() if isinstance(response, TemplateResponse) else response

        # Which keeps the gate, as Django marks its own.
        in_utc.admin_site = self  # type: ignore[attr-defined]
        return in_utc

    def _in_session(self, view: Callable[..., Any]) -> Callable[..., Any]:
        # Whoever may not look at anything can still sign out, and protect their account.
        needs_none = view in {self.logout, self.password_change} or hasattr(view, "needs_no_session")

        @wraps(view)
        def in_session(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if staff := cast("AdminRequest", request).staff:
                note_request(request, staff)
            elif not needs_none:
                return open_a_session_first(request)
            answer: HttpResponseBase = view(request, *args, **kwargs)
            return answer

        return in_session

    # Django's stubs name the kind of answer that its own page gives.
    def index(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponseBase:  # type: ignore[override]  # noqa: ARG002
        """The search, where staff begin; before anything is searched, what only they can mend at Stripe."""
        if "find" not in request.GET:
            for prohibition in prohibitions():
                messages.error(request, prohibition)
            if missing := missing_lately():
                messages.error(request, _told(missing))
        return front(request)

    def records(self, request: HttpRequest) -> TemplateResponse:
        """Every table that there is."""
        return super().index(request)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """The portal's own sign-in, with its rate limits, instead of the admin's form."""
        if not request.user.is_authenticated:
            return sign_in_first(request, resume_at=request.GET.get("next") or reverse("admin:index"))
        if request.user.is_staff:
            messages.warning(request, _("Support staff need a second factor. Activate one to go on."))
            return HttpResponseRedirect(reverse("mfa_index"))
        return HttpResponseRedirect(reverse("organizations"))

    # Django's stubs name the kind of answer that its own pages give.
    def logout(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:  # type: ignore[override]  # noqa: ARG002
        """The portal's own sign-out."""
        return logout(request)

    def password_change(  # type: ignore[override]
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        extra_context: dict[str, object] | None = None,  # noqa: ARG002 - Django's signature
    ) -> HttpResponse:
        """The portal's own page, which asks who it is and sends a mail about the change."""
        return HttpResponseRedirect(reverse("account_change_password"))

    password_change_done = password_change  # type: ignore[assignment]

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Django's own, without what no page of ours leads to, and what odd names and ids would break."""
        own = [path(page.route, self.admin_view(page.view), name=page.name) for page in PAGES]
        records = path("records/", self.admin_view(self.records), name="records")
        return [
            *own,
            records,
            *(url for url in super().get_urls() if getattr(url, "name", None) not in UNUSED),
        ]


def _told(missing: int) -> str:
    return ngettext(
        "The on-demand credits of %(count)d span are not as charged at Stripe. Compare them.",
        "The on-demand credits of %(count)d spans are not as charged at Stripe. Compare them.",
        missing,
    ) % {"count": missing}
