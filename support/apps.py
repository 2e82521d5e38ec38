from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.signals import user_logged_in


class SupportConfig(AppConfig):
    name = "support"

    def ready(self) -> None:
        from support.viewing import note_sign_in  # noqa: PLC0415 - models must be ready

        user_logged_in.disconnect(dispatch_uid="update_last_login")
        user_logged_in.connect(note_sign_in, dispatch_uid="note_sign_in")


class PortalAdminConfig(AdminConfig):
    """Django's admin, on a site of our own."""

    default_site = "support.admin_site.PortalAdminSite"
