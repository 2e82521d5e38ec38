"""Below ``/orgs/<slug>/settings/teams/``."""

from django.urls import path

from teams import views

urlpatterns = [
    path("", views.teams, name="teams"),
    path("new/", views.team_new, name="team_new"),
    path("<uuid:team_id>/", views.team, name="team"),
    path("<uuid:team_id>/change/", views.team_change, name="team_change"),
    path("<uuid:team_id>/delete/", views.team_delete, name="team_delete"),
    path("<uuid:team_id>/people/add/", views.team_add, name="team_add"),
    path("<uuid:team_id>/people/<uuid:membership_id>/remove/", views.team_remove, name="team_remove"),
]
