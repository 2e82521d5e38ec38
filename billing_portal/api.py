"""The API, joined of what each app has of it."""

from django.conf import settings
from django.core.checks import CheckMessage, register

import billing.api.account
import billing.api.exports
import billing.api.invoices
import billing.api.limits
import invitations.api
import invitations.provisioning_api
import usage.api
import usage.reports_api
from api import audit_log, authorize, members, organizations, teams
from api.schema import PortalAPI, undeclared

portal_api = PortalAPI(
    f"{settings.PRODUCT_NAME} API",
    [
        organizations.yours,
        organizations.one,
        members.endpoints,
        teams.endpoints,
        invitations.api.managers,
        invitations.api.invitations,
        usage.reports_api.endpoints,
        usage.api.endpoints,
        billing.api.account.endpoints,
        billing.api.invoices.endpoints,
        billing.api.limits.endpoints,
        billing.api.exports.endpoints,
        audit_log.endpoints,
        authorize.endpoints,
        invitations.provisioning_api.endpoints,
    ],
)


@register
def every_endpoint_declares_what_it_needs(**_kwargs: object) -> list[CheckMessage]:
    return undeclared(portal_api)
