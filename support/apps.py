from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SupportConfig(AppConfig):
    name = "support"


class PortalAdminConfig(AdminConfig):
    """Django's admin, on a site of our own."""

    default_site = "support.admin_site.PortalAdminSite"
