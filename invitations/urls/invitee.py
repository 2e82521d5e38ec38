"""Below ``/invitations/``."""

from django.urls import path

from invitations.views import invitee

urlpatterns = [
    path("", invitee.invitation, name="invitation"),
    path("accept/", invitee.accept, name="invitation_accept"),
    path("decline/", invitee.decline, name="invitation_decline"),
    path("<uuid:invitation_id>/open/", invitee.open_listed, name="invitation_open"),
    path("<str:token>/", invitee.open_link, name="invitation_token"),
]
