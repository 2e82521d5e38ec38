"""Every URL of the portal. Each view declares who may use it; a system check holds it to that."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from accounts import limits
from accounts.access import Audience, open_to
from billing_portal import api_docs, devmail, health, pages, role_help, style_guide, well_known
from billing_portal.api import portal_api
from billing_portal.metrics import metrics
from programs.urls import organization as organization_programs
from programs.urls import personal as personal_programs
from programs.views.endpoints import metadata
from support.view_only import viewing_stop

handler429 = limits.too_many_requests

urlpatterns = [
    path("", pages.home, name="home"),
    path("help/", role_help.roles_in_short, name="help"),
    path("help/<slug:role>/", role_help.help_page, name="role_help"),
    path("favicon.ico", well_known.favicon, name="favicon"),
    path("robots.txt", well_known.robots, name="robots"),
    path(".well-known/security.txt", well_known.security, name="security"),
    path(".well-known/oauth-authorization-server", metadata, name="oauth_server"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("accounts/programs/", include(personal_programs)),
    path("accounts/delete/", pages.account_delete, name="account_delete"),
    path("accounts/", include("accounts.urls")),
    path("oauth/", include("programs.urls")),
    path("invitations/", include("invitations.urls.invitee")),
    path("pay/", include("billing.urls.payers")),
    path("stripe/", include("billing.urls.stripe")),
    path("admin/", admin.site.urls),
    # Outside the admin, whose gate keeps out the person who is viewed.
    path("viewing/stop/", viewing_stop, name="viewing_stop"),
    path("api/v1/", include(portal_api.addresses)),
    path("api/v1/openapi.json", api_docs.schema, name="api_schema"),
    path("api/v1/docs/", api_docs.docs, name="api_docs"),
    path("orgs/", pages.organizations, name="organizations"),
    path("orgs/new/", pages.new_organization, name="new_organization"),
    path("orgs/<slug:slug>/", include("usage.urls")),
    path("orgs/<slug:slug>/", include("orgs.urls")),
    path("orgs/<slug:slug>/settings/", include("invitations.urls.organization")),
    path("orgs/<slug:slug>/settings/teams/", include("teams.urls")),
    path("orgs/<slug:slug>/settings/tokens/", include(organization_programs)),
    path("orgs/<slug:slug>/settings/tokens/", include("tokens.urls")),
    path("orgs/<slug:slug>/settings/close/", include("billing.urls.closing")),
    path("orgs/<slug:slug>/settings/billing/", include("billing.urls.organization")),
    path("orgs/<slug:slug>/settings/webhooks/", include("hooks.urls")),
]

if settings.DEVELOPMENT:
    urlpatterns += [
        path("dev/mail/", open_to(Audience.ANYONE, "GET")(devmail.mailbox), name="dev_mail"),
        path(
            "dev/mail/<str:mail_id>/",
            open_to(Audience.ANYONE, "GET")(devmail.mail_html),
            name="dev_mail_html",
        ),
        path("dev/style/", style_guide.style_guide, name="style_guide"),
    ]
