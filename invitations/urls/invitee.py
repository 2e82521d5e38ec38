"""Below ``/invitations/``."""

from django.urls import path

from invitations.views import invitee

urlpatterns = [
    path("<uuid:invitation_id>/", invitee.invitation, name="invitation"),
    path("<uuid:invitation_id>/accept/", invitee.accept, name="invitation_accept"),
    path("<uuid:invitation_id>/decline/", invitee.decline, name="invitation_decline"),
    path("<uuid:invitation_id>/ask/", invitee.ask, name="invitation_ask"),
    path("<str:token>/", invitee.open_link, name="invitation_token"),
]
