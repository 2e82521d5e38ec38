"""Below ``/oauth/``: what programs and their people ask. ``personal``: below ``/accounts/programs/``,
``organization``: below ``/orgs/<slug>/settings/tokens/``, beside ``tokens.urls``.
"""

from django.urls import path

from programs.views import connected, consent, devices, endpoints

urlpatterns = [
    path("authorize/", consent.authorize, name="program_authorize"),
    path("token/", endpoints.token, name="program_token"),
    path("revoke/", endpoints.revoke, name="program_revoke"),
    path("device/code/", endpoints.device_begin, name="device_begin"),
    path("device/", devices.device, name="device"),
    path("device/<uuid:request_id>/", devices.device_answer, name="device_answer"),
]
personal = [
    path("", connected.programs, name="programs"),
    path("<uuid:connection_id>/disconnect/", connected.program_disconnect, name="program_disconnect"),
]
organization = [
    path("", connected.tokens, name="tokens"),
    path("programs/<uuid:connection_id>/disconnect/", connected.connection_end, name="connection_end"),
]
