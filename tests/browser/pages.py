"""Every page of the portal, taken from its URLs, so that a new one cannot be forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.test import Client

from orgs.checks import Route, all_routes
from orgs.policy import Role
from tests.world import World

VISITORS = ("anonymous", "stranger", *(role.value for role in Role))
# Answers no page to anybody by GET alone; those that show one after some steps are among the states, see
# test_account_states.py and test_organization_states.py.
NO_PAGE = {
    "healthz": "text for machines",
    "readyz": "text for machines",
    "metrics": "text for machines",
    "favicon": "an icon",
    "robots": "text for machines",
    "security": "text for machines",
    "oauth_server": "JSON for machines",
    "program_token": "JSON for machines",
    "program_revoke": "JSON for machines",
    "device_begin": "JSON for machines",
    "invitation_token": "redirects to the invitation",
    "invitation_accept": "POST only",
    "stripe_webhook": "POST only",
    "api_schema": "JSON for machines",
    "access_request": "POST only",
    "access_refuse": "POST only",
    "warning_hide": "POST only",
    "members_warning_hide": "POST only",
    "webhook_switch": "POST only",
    "webhook_test": "POST only",
    "webhook_again": "POST only",
    "audit_export": "POST only",
    "usage_by_day": "a CSV file",
    "usage_by_stack": "a CSV file",
    "people_remove": "asks about people whom the address names",
    "closing_undo": "POST only",
    "organization_data": "POST only",
    "member_role": "asks about a role that the address names",
    "managers_link": "POST only",
    "invitation_resend": "POST only",
    "invitation_copy_link": "POST only",
    "billing_under_way": "redirects",
    "card": "POST only",
    "owed_pay": "POST only",
    "invoice_pay": "POST only",
    "method_add": "POST only",
    "method_choose": "POST only",
    "tax_id_add": "POST only",
    "billing_details_preview": "POST only",
    "seats": "the edition sells none",
    "plan_undo": "nothing is planned",
    "purchase": "sells to those without a subscription",
    "subscription_keep": "asks about a subscription that is to end",
    "start_step": "POST only",
    "card_link": "POST only",
    "invoice_link": "POST only",
    "payment_link_copy": "POST only",
    "pay_ask": "POST only",
    "invitation_ask": "POST only",
    "session_end": "POST only",
    "viewing_stop": "POST only",
    "preferences": "POST only",
    "program_authorize": "asks about a program that the address names",
    "focus_file": "a CSV file",
    "invoice_pdf": "a PDF",
    "invitation": "needs a link",
    "pay": "needs a link",
    "invitation_decline": "needs a link",
    "mfa_activate_totp": "asks for the password first",
    "mfa_reauthenticate": "needs a second factor",
    "account_confirm_login_code": "sign-in by mailed code is off",
    "account_set_password": "everybody has a password",
    "mfa_authenticate": "comes during sign-in with a second factor",
    "mfa_deactivate_totp": "needs a second factor",
    "mfa_view_recovery_codes": "needs a second factor",
    "mfa_generate_recovery_codes": "needs a second factor",
    "mfa_download_recovery_codes": "a text file",
    "dev_mail_html": "a mail, not a page",
}
ROUTES = [route for route in all_routes() if not (route.of_admin or route.of_api)]


@dataclass(frozen=True)
class Shown:
    """A page as the server answers it to a visitor."""

    route: Route
    url: str
    template: str | None
    status: int
    html: str


def client_of(world: World, visitor: str) -> Client:
    """The browser session of a visitor. Everybody signed in has signed in just now."""
    if visitor == "anonymous":
        return Client()
    return world.stranger if visitor == "stranger" else world.clients[Role(visitor)]


def pages_for(world: World, visitor: str) -> Iterator[Shown]:
    """The pages that a visitor gets; of those that refuse, one of each kind."""
    client = client_of(world, visitor)
    refusals = set()
    for route in ROUTES:
        url = world.url(route)
        if visitor in world.clients:
            url += world.query(route, Role(visitor))
        response = client.get(url)
        if not is_page(response):
            continue
        template, html = response.templates[0].name, response.content.decode()
        shown = Shown(route, url, template, response.status_code, html)
        if shown.status >= 400:
            if (shown.template, shown.status) in refusals:
                continue
            refusals.add((shown.template, shown.status))
        yield shown


def is_page(response: HttpResponse) -> bool:
    return bool(
        response.headers.get("Content-Type", "").startswith("text/html")
        and not 300 <= response.status_code < 400
        and response.content
    )
