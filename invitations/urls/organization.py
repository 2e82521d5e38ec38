"""Below ``/orgs/<slug>/settings/``."""

from django.urls import include, path

from invitations.views import inviting, organization, removal, settings

one_invitation = [
    path("resend/", organization.invitation_resend, name="invitation_resend"),
    path("link/", organization.invitation_copy_link, name="invitation_copy_link"),
    path("revoke/", organization.invitation_revoke, name="invitation_revoke"),
]

urlpatterns = [
    path("general/", settings.organization_settings, name="organization_settings"),
    path("members/", organization.members, name="members"),
    path("members/invite/", inviting.members_invite, name="members_invite"),
    path("members/link/", inviting.members_link, name="members_link"),
    path("billing/managers/invite/", inviting.managers_invite, name="managers_invite"),
    path("billing/managers/link/", inviting.managers_link, name="managers_link"),
    path("members/warnings/hide/", organization.members_warning_hide, name="members_warning_hide"),
    path("billing/managers/<uuid:membership_id>/remove/", organization.manager_remove, name="manager_remove"),
    path(
        "billing/managers/<uuid:membership_id>/last-day/",
        organization.manager_last_day,
        name="manager_last_day",
    ),
    path("people/remove/", removal.people_remove, name="people_remove"),
    path("invitations/<uuid:invitation_id>/", include(one_invitation)),
]
