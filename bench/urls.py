"""The portal's URLs, and the floor: the least that a page of a signed-in person can do.

Same middleware, one session, the person, one row, a trivial template. Times of pages are told as multiples of
its time.
"""

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from billing_portal.urls import urlpatterns as portal_urls
from orgs.models import Organization

TEMPLATE = engines["django"].from_string(
    "<!DOCTYPE html><title>{{ organization.name }}</title><p>{{ person.name }}</p>"
)


def floor(request: HttpRequest, organization_slug: str) -> HttpResponse:
    organization = Organization.objects.get(slug=organization_slug)
    # Reading the name fetches the person, who is lazy.
    return HttpResponse(TEMPLATE.render({"organization": organization, "person": request.user}))


urlpatterns = [path("bench/floor/<slug:organization_slug>/", floor, name="bench_floor"), *portal_urls]
