"""The pages of webhooks: what an admin does there, and what they read."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from audit.models import AuditEvent
from hooks.delivery import deliver_due
from hooks.models import Delivery, Endpoint, State
from hooks.services import MOST_ENDPOINTS
from orgs.models import Membership, Organization
from tests.conftest import SignIn
from tests.hooks.factories import DeliveryFactory, EndpointFactory
from tests.hooks.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(sign_in: SignIn, admin: Membership) -> Client:
    return sign_in(admin)


def url(name: str, organization: Organization, *ids: object) -> str:
    return reverse(name, args=[organization.slug, *ids])


def new_form(**changes: object) -> dict[str, object]:
    return {"key": str(uuid.uuid4()), "version": "0", "people": ["invitation.sent"], **changes}


def test_a_secret_is_shown_once_and_the_form_makes_one_webhook(
    client: Client, organization: Organization, receiver: Receiver
) -> None:
    data = new_form(url=receiver.url, billing=["invoice.paid"])
    made = client.post(url("webhook_new", organization), data)
    secret = re.search(r'value="(whsec_[^"]+)"', made.content.decode())
    assert secret is not None
    endpoint = Endpoint.objects.get()
    assert (endpoint.url, endpoint.events) == (receiver.url, ["invitation.sent", "invoice.paid"])
    assert AuditEvent.objects.get(action="webhook.made").target_name == "127.0.0.1"

    again = client.post(url("webhook_new", organization), data)
    assert again.status_code == 422
    assert "was added already" in again.content.decode()
    page = client.get(url("webhook", organization, endpoint.pk)).content.decode()
    assert secret[1] not in page

    client.post(url("webhook_test", organization, endpoint.pk))
    deliver_due()
    assert receiver.received[0].is_signed_with(secret[1])


def test_a_wrong_form_says_what_to_do(client: Client, organization: Organization) -> None:
    for wrong, words in (
        (new_form(url=""), "Enter the address of your server."),
        (new_form(url="http://example.com/"), "must begin with https://"),
        (new_form(url="https://10.0.0.1/"), "leads into a private network"),
        (new_form(url="https://169.254.169.254/latest/"), "leads into a private network"),
        (new_form(url="https://exa mple.com/"), "has no valid host"),
        (new_form(url="https://10.0.0.1/", people=["no.such"]), "is not one of the available choices"),
    ):
        answer = client.post(url("webhook_new", organization), wrong)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_without_an_event_nothing_is_saved(
    client: Client, organization: Organization, receiver: Receiver
) -> None:
    answer = client.post(url("webhook_new", organization), new_form(url=receiver.url, people=[]))
    assert "Choose at least one event." in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_there_is_a_limit(client: Client, organization: Organization, receiver: Receiver) -> None:
    for _ in range(MOST_ENDPOINTS):
        EndpointFactory(organization=organization)
    EndpointFactory()
    answer = client.post(url("webhook_new", organization), new_form(url=receiver.url))
    assert "5 webhooks already" in answer.content.decode()
    page = client.get(url("webhooks", organization)).content.decode()
    assert "5 webhooks are the limit" in page


def test_a_change_is_saved_unless_the_page_was_of_another_version(
    client: Client, organization: Organization, endpoint: Endpoint, receiver: Receiver
) -> None:
    change = url("webhook_change", organization, endpoint.pk)
    drawn = client.get(change).content.decode()
    assert receiver.url in drawn
    assert re.search(r'value="membership.removed"[^>]*checked', drawn)

    data = new_form(url=receiver.url + "&two=2", version="1")
    assert client.post(change, data).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.events) == (receiver.url + "&two=2", ["invitation.sent"])
    assert AuditEvent.objects.filter(action="webhook.changed").count() == 1

    late = client.post(change, new_form(url=receiver.url, version="1"))
    assert late.status_code == 409
    assert receiver.url + "&amp;two=2" in late.content.decode()
    late = client.post(url("webhook_secret", organization, endpoint.pk), {"version": "1"})
    assert late.status_code == 409
    assert "Nothing was done" in late.content.decode()
    assert not AuditEvent.objects.filter(action="webhook.secret_rolled").exists()


def test_a_delivery_shows_what_was_sent_and_what_came_of_it(
    client: Client, organization: Organization, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.status, receiver.answer = 500, b"<b>out of order</b>"
    delivery = DeliveryFactory(endpoint=endpoint)
    page = url("webhook_delivery", organization, delivery.pk)
    assert client.get(page, headers={"HX-Request": "true"}).status_code == 204
    deliver_due()
    told = client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "HTTP 500" in told
    assert "&lt;b&gt;out of order&lt;/b&gt;" in told
    assert delivery.message_id in told
    assert "tried again by itself" in told
    assert "membership.removed" in told
    listed = client.get(url("webhook", organization, endpoint.pk)).content.decode()
    assert "HTTP 500" in listed
    assert "taken no webhook since" in listed


def test_one_is_sent_again_by_a_press_but_not_while_it_is_off(
    client: Client, organization: Organization, endpoint: Endpoint
) -> None:
    delivery = DeliveryFactory(endpoint=endpoint, state=State.FAILED)
    switch, again = (
        url("webhook_switch", organization, endpoint.pk),
        url("webhook_again", organization, delivery.pk),
    )
    client.post(switch, {"on": "0"})
    refused = client.post(again, follow=True).content.decode()
    assert "The webhook is off. Switch it on first" in refused
    assert not Delivery.objects.filter(state=State.WAITING).exists()
    client.post(switch, {"on": "1"})
    client.post(again)
    assert Delivery.objects.filter(state=State.WAITING).exists()


def test_tests_that_wait_have_a_limit(client: Client, organization: Organization, endpoint: Endpoint) -> None:
    for _ in range(5):
        client.post(url("webhook_test", organization, endpoint.pk))
    assert Delivery.objects.count() == 3


def test_a_removed_webhook_is_gone_with_its_secret_and_its_deliveries(
    client: Client, organization: Organization, endpoint: Endpoint, receiver: Receiver
) -> None:
    delivery = DeliveryFactory(endpoint=endpoint)
    client.post(url("webhook_remove", organization, endpoint.pk))
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.old_secret) == ("", "")
    for name, pk in (("webhook", endpoint.pk), ("webhook_delivery", delivery.pk)):
        assert client.get(url(name, organization, pk)).status_code == 404
    deliver_due()
    assert receiver.received == []


def test_many_deliveries_come_page_by_page(
    client: Client, organization: Organization, endpoint: Endpoint
) -> None:
    DeliveryFactory.create_batch(51, endpoint=endpoint)
    page = url("webhook", organization, endpoint.pk)
    first = client.get(page).content.decode()
    older = re.search(r'href="(\?after=[^"]+)"', first)
    assert older is not None
    assert first.count("/deliveries/") == 50
    assert client.get(page + older[1]).content.decode().count("/deliveries/") == 1
    for wrong in ("x", str(uuid.uuid4())):
        assert client.get(page, {"after": wrong}).status_code == 404


def test_no_page_asks_more_than_a_few_statements(
    client: Client,
    organization: Organization,
    endpoint: Endpoint,
    django_assert_max_num_queries: object,
    settings: Settings,
) -> None:
    DeliveryFactory.create_batch(3, endpoint=endpoint)
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        client.get(url("webhook", organization, endpoint.pk))
