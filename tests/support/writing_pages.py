"""The portal with pages that do on GET what no page may do, for tests."""

from contextlib import suppress

from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from billing.gateway.calls import customer
from billing.tasks import sweep
from billing_portal.urls import urlpatterns as portal
from orgs.access import OrgRequest, requires
from orgs.models import Organization
from orgs.policy import Permission
from work.doorbell import ring

SEES = Permission.ORGANIZATION_VIEW


@requires(GET=SEES)
def rename(request: OrgRequest) -> HttpResponse:
    Organization.objects.update(name="Renamed")
    return HttpResponse("renamed")


@requires(GET=SEES)
def rename_by_itself(request: OrgRequest) -> HttpResponse:
    """By a statement that begins with a word of reading."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH renamed AS (UPDATE orgs_organization SET name = 'R' RETURNING 1) SELECT * FROM renamed"
        )
    return HttpResponse("renamed")


@requires(GET=SEES)
def rename_in_vain(request: OrgRequest) -> HttpResponse:
    """And goes on as if nothing had happened."""
    with suppress(DatabaseError):
        Organization.objects.update(name="Renamed")
    return HttpResponse(Organization.objects.count())


@requires(GET=SEES)
def lock(request: OrgRequest) -> HttpResponse:
    Organization.objects.locked(request.organization.pk)
    return HttpResponse("locked")


@requires(GET=SEES)
def ask_stripe(request: OrgRequest) -> HttpResponse:
    customer("cus_1")
    return HttpResponse("asked")


@requires(GET=SEES)
def lead_to_stripe(request: OrgRequest) -> HttpResponse:
    return HttpResponse(status=302, headers={"Location": "https://checkout.stripe.com/"})


@requires(GET=SEES)
def ring_the_workers(request: OrgRequest) -> HttpResponse:
    ring(sweep)
    return HttpResponse("rung")


@csrf_exempt
@requires(GET=SEES, POST=Permission.ORGANIZATION_CONFIGURE)
def rename_by_a_press(request: OrgRequest) -> HttpResponse:
    if request.method == "POST":
        Organization.objects.update(name="Renamed")
    return HttpResponse("a form")


PAGES = [rename, rename_by_itself, rename_in_vain, lock, ask_stripe, lead_to_stripe]
NAMES = [page.__name__ for page in PAGES]
urlpatterns = [
    *portal,
    *(
        path(f"orgs/<slug:slug>/{page.__name__}/", page)
        for page in (*PAGES, ring_the_workers, rename_by_a_press)
    ),
]
