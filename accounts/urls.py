from django.urls import include, path

from accounts import views
from accounts.access import Audience, open_to

urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("preferences/", views.preferences, name="preferences"),
    path("sessions/end/", views.end_session, name="session_end"),
    path(
        "signup/",
        open_to(Audience.ANYONE, "GET", "POST")(views.SignUpView.as_view()),
        name="account_signup",
    ),
    path("", include("allauth.urls")),
]
