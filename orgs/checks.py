"""System checks: no URL without a declared access, no template that asks for an unknown permission."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.access import Access
from orgs.access import OrganizationAccess
from orgs.policy import Permission

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Pages of libraries that keep their own gates: sign-in pages, and the admin with its staff check.
LIBRARIES = ("allauth.account.", "allauth.mfa.", "allauth.usersessions.")
TEMPLATE_FOLDERS = [settings.BASE_DIR / "templates"]
MAY_IN_TEMPLATE = re.compile(r"\bmay\.(\w+)")


@dataclass(frozen=True)
class Route:
    """One URL pattern of the project: its whole path, as patterns are written, and its view."""

    path: str
    view: Any
    name: str | None

    @property
    def access(self) -> Access | None:
        return getattr(self.view, "access", None)

    @property
    def of_admin(self) -> bool:
        marked = hasattr(self.view, "admin_site") or hasattr(self.view, "model_admin")
        return marked or isinstance(getattr(self.view, "__self__", None), AdminSite)

    @property
    def of_api(self) -> bool:
        """Whether it is of the API, which declares what each endpoint needs in its own way."""
        return getattr(self.view, "__module__", "").startswith("ninja.")

    @property
    def of_library(self) -> bool:
        return getattr(self.view, "__module__", "").startswith(LIBRARIES)


def all_routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[Route]:
    """Every route of the URL configuration, in order."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Route(path, entry.callback, entry.name)
        else:
            yield from all_routes(entry, path)


@register
def every_route_declares_its_access(**_kwargs: object) -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for route in all_routes():
        access = route.access
        if access is None:
            if not (route.of_admin or route.of_api or route.of_library):
                errors.append(Error(f"{route.path}: the view declares no access.", id="orgs.E001"))
            continue
        inside = "<slug:slug>" in route.path
        permissions = access.permissions if isinstance(access, OrganizationAccess) else {}
        if inside != bool(permissions):
            errors.append(
                Error(
                    f"{route.path}: a permission belongs to URLs of an organization, and only there.",
                    id="orgs.E002",
                )
            )
        errors.extend(
            Error(
                f"{route.path}: {method} changes things, but {permission.value} only reads.", id="orgs.E003"
            )
            for method, permission in permissions.items()
            if method not in SAFE_METHODS and permission.reads
        )
    return errors


@register
def templates_ask_for_known_permissions(**_kwargs: object) -> list[CheckMessage]:
    """``{% if %}`` swallows what an operand raises beside an operator, so names are checked here as well."""
    known = {permission.name.lower() for permission in Permission}
    return [
        Error(f"{path.name}: may.{name} is no permission.", id="orgs.E004")
        for folder in TEMPLATE_FOLDERS
        for path in sorted(Path(folder).rglob("*.html"))
        for name in MAY_IN_TEMPLATE.findall(path.read_text())
        if name not in known
    ]
