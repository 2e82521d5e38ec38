from django.urls import path

from usage import stack_views, views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("stacks/", stack_views.stacks, name="stacks"),
    path("usage/days.csv", views.usage_by_day, name="usage_by_day"),
    path("usage/stacks.csv", views.usage_by_stack, name="usage_by_stack"),
]
