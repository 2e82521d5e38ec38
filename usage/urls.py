from django.urls import path

from usage import stack_views, views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("stacks/", stack_views.stacks, name="stacks"),
]
