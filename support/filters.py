"""Lists of the admin, narrowed to one organization."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orgs.models import Organization
from orgs.rows import uuid_in

# In the address; the name of no column, which only Django would look up.
OF = "of"


class OfOrganizationFilter(admin.SimpleListFilter):
    """Of rows with an ``organization_id``. It shows once an address asks for it: there are many."""

    title = _("organization")
    parameter_name = OF

    def lookups(self, request: HttpRequest, _page: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        pk = uuid_in(request.GET.get(OF, ""))
        found = Organization.objects.filter(pk=pk).first() if pk else None
        return [(request.GET[OF], found.name)] if found else []

    def has_output(self) -> bool:
        return self.value() is not None

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        pk = uuid_in(self.value() or "")
        return rows.filter(organization_id=pk) if pk else rows.none()


def is_of_organizations(model: type[Model]) -> bool:
    return hasattr(model, "organization_id")
