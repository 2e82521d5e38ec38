"""Access tokens, by what people are shown of them."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from support.links import organization_url, record_url
from support.search.wanted import MOST, Found, Wanted
from tokens.models import AccessToken, ServiceToken
from tokens.secret import SHOWN

TOKEN = gettext_lazy("Access token")
SERVICE_TOKEN = gettext_lazy("Service token")


def tokens(wanted: Wanted) -> Iterator[Found]:
    """By the beginning that people are shown, also where somebody pastes all of one."""
    if not wanted.is_token:
        return
    found = AccessToken.objects.filter(start=wanted.text[:SHOWN]).order_by()[: MOST + 1]
    for pk, name, organization, organization_name in found.values_list(
        "pk", "name", "organization", "organization__name"
    ):
        yield Found(
            TOKEN,
            title=name,
            note=wanted.text[:SHOWN],
            why=_("Beginning of the token"),
            url=record_url("tokens_accesstoken", pk),
            is_exact=True,
            organization=organization_name,
            organization_url=organization_url(organization),
        )


def service_tokens(wanted: Wanted) -> Iterator[Found]:
    """The product's own: there are a few."""
    if not wanted.is_token:
        return
    for pk, name in ServiceToken.objects.filter(start=wanted.text[:SHOWN]).values_list("pk", "name"):
        yield Found(
            SERVICE_TOKEN,
            title=name,
            note=wanted.text[:SHOWN],
            why=_("Beginning of the token"),
            url=record_url("tokens_servicetoken", pk),
            is_exact=True,
        )
