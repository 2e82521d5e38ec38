"""The webhook: what is Stripe's is kept once and answered at once; everything else is refused."""

import json
import time
from collections.abc import MutableMapping, Sequence
from typing import Any

import hypothesis
import pytest
import structlog
from django.test import Client
from hypothesis import strategies
from pytest_django.fixtures import DjangoAssertNumQueries

from billing.models import EventState, StripeEvent
from tests.billing.world import WEBHOOK, deliver, event_of, signature

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_a_signed_event_is_kept_and_answered_with_one_statement(
    secret: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Outside of a test's own transaction the beginning and the end of one would count, too."""
    with django_assert_num_queries(1):
        assert deliver(event_of()).status_code == 200
    event = StripeEvent.objects.get()
    assert (event.event_id, event.type, event.customer_id, event.state) == (
        "evt_1",
        "customer.updated",
        "cus_unknown",
        EventState.RECEIVED,
    )


def post(payload: str | bytes, header: str | None) -> int:
    headers = {} if header is None else {"Stripe-Signature": header}
    client = Client(enforce_csrf_checks=True)
    return client.post(WEBHOOK, payload, content_type="application/json", headers=headers).status_code


PAYLOAD = json.dumps(event_of())


@pytest.mark.parametrize(
    ("payload", "header"),
    [
        pytest.param(PAYLOAD, lambda: None, id="unsigned"),
        pytest.param(PAYLOAD, lambda: "", id="empty signature"),
        pytest.param(PAYLOAD, lambda: "t=1,v1=abc", id="made up"),
        pytest.param(PAYLOAD, lambda: "nonsense", id="no signature at all"),
        pytest.param(PAYLOAD, lambda: signature(PAYLOAD, secret="whsec_other"), id="forged"),
        pytest.param(PAYLOAD + " ", lambda: signature(PAYLOAD), id="altered"),
        pytest.param(PAYLOAD, lambda: signature(PAYLOAD, timestamp=time.time() - 301), id="old"),
        pytest.param(PAYLOAD, lambda: signature(PAYLOAD, timestamp=time.time() + 400), id="future"),
        pytest.param("{", lambda: signature("{"), id="not JSON"),
        pytest.param("[]", lambda: signature("[]"), id="no object"),
        pytest.param("{}", lambda: signature("{}"), id="no event"),
        pytest.param("[" * 100_000, lambda: signature("[" * 100_000), id="too deep"),
        pytest.param(b"\xff", lambda: signature("x"), id="no text"),
    ],
)
def test_what_stripe_did_not_sign_for_us_is_refused_and_not_kept(
    payload: str | bytes, header: Any, secret: str
) -> None:
    assert post(payload, header()) == 400
    assert not StripeEvent.objects.exists()


def signed(payload: str | bytes) -> int:
    """The status of an event as Stripe would sign it, byte for byte."""
    text = payload if isinstance(payload, str) else payload.decode()
    return post(payload, signature(text))


def told(logs: Sequence[MutableMapping[str, Any]]) -> list[tuple[str, str]]:
    """What the log says about an event, and how loud; each time with a reason."""
    lines = [line for line in logs if line["event"].startswith("stripe_event")]
    assert all(line["reason"] for line in lines)
    return [(line["event"], line["log_level"]) for line in lines]


def with_object(fields: str) -> str:
    """An event about a customer that has these fields too, written as JSON."""
    return PAYLOAD.replace('"object": "customer"', f'"object": "customer", {fields}')


UNUSABLE = {
    "half a pair": with_object(r'"name": "a\ud800b"'),
    "half a pair in a key": with_object(r'"metadata": {"\udfff": "x"}'),
    "half a pair for an id": PAYLOAD.replace("evt_1", r"evt_\ud83d"),
    "half a pair for an object": PAYLOAD.replace("cus_unknown", r"cus_\udc00"),
    "NUL in a key": with_object(r'"metadata": {"a\u0000b": "x"}'),
    "NUL in an id": PAYLOAD.replace("evt_1", r"evt_\u0000"),
    "no number": with_object('"balance": NaN'),
    "no end": with_object('"balance": [Infinity, -Infinity]'),
    "beyond all numbers": with_object('"balance": 1e400'),
    "below all numbers": with_object('"balance": {"x": [-1e999]}'),
    "endless digits": with_object('"balance": ' + "9" * 5000),
    "deep": with_object('"x": ' + "[" * 400 + "]" * 400),
    "deeper": with_object('"x": ' + '{"x": ' * 4000 + "1" + "}" * 4000),
    "empty id": json.dumps(event_of(id="")),
    "no id": json.dumps({key: value for key, value in event_of().items() if key != "id"}),
    "null id": json.dumps(event_of(id=None)),
    "id of a number": json.dumps(event_of(id=7)),
    "id of a list": json.dumps(event_of(id=["evt_1"])),
    "empty type": json.dumps(event_of(type="")),
    "type of an object": json.dumps(event_of(type={"x": 1})),
    "mode of a word": json.dumps(event_of(livemode="false")),
    "mode of a number": json.dumps(event_of(livemode=0)),
    "version of a number": json.dumps(event_of(api_version=2026)),
    "data of a list": json.dumps(event_of(data=[])),
    "data of null": json.dumps(event_of(data=None)),
    "object of a word": json.dumps(event_of(data={"object": "cus_1"})),
    "object's id of a list": json.dumps(event_of(data={"object": {"id": ["x"], "object": "invoice"}})),
    "customer of a number": json.dumps(event_of(data={"object": {"id": "in_1", "customer": 7}})),
    "customer of nothing": json.dumps(event_of(data={"object": {"id": "in_1", "customer": {}}})),
    "customer without an id": json.dumps(event_of(data={"object": {"object": "customer"}})),
    "customer with a null id": json.dumps(event_of(data={"object": {"object": "customer", "id": None}})),
    "former values of a word": json.dumps(event_of(data={"object": {"id": "x"}, "previous_attributes": "x"})),
    "not JSON": "{",
    "a list": "[]",
    "a word": '"evt_1"',
    "null": "null",
    "no text": "\ufeff{}",
    "nothing": "",
    "the other mode": json.dumps(event_of(livemode=True)),
}


@pytest.mark.parametrize("payload", UNUSABLE.values(), ids=UNUSABLE)
def test_a_signed_event_that_cannot_be_kept_is_refused_and_the_log_says_so(payload: str, secret: str) -> None:
    with structlog.testing.capture_logs() as logs:
        assert signed(payload) == 400
    assert told(logs) == [("stripe_event_unusable", "error")]
    assert not StripeEvent.objects.exists()


STORABLE = {
    "the same key twice": with_object('"name": "x", "name": "y"'),
    "numbers beyond a double": with_object('"balance": 123456789012345678901234567890, "x": 1e300'),
    "number near nothing": with_object('"balance": 1e-400'),
    "a whole pair": with_object(r'"name": "\ud83d\ude00"'),
    "controls": with_object(r'"name": "\u0001\u001f\u202e\uffff"'),
    "long text": with_object('"name": "' + "x" * 200_000 + '"'),
    "long key": with_object('"metadata": {"' + "k" * 100_000 + '": 1}'),
    "empty key": with_object('"metadata": {"": null}'),
    "rather deep": with_object('"x": ' + "[" * 20 + "]" * 20),
    "no version": json.dumps(event_of(api_version=None)),
    "object without an id": json.dumps(event_of(data={"object": {"object": "balance"}})),
}


@pytest.mark.parametrize("payload", STORABLE.values(), ids=STORABLE)
def test_an_unusual_event_is_kept(payload: str, secret: str) -> None:
    assert signed(payload) == 200
    assert signed(payload) == 200, "delivered again"
    assert StripeEvent.objects.count() == 1


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "t=,v1=", "t=x,v1=\xff", "t=1,v1=\xff", "t=" + "9" * 5000 + ",v1=x", "t=NaN,v1=x", ",,==,"],
)
def test_an_unsigned_event_is_told_apart_in_the_log(header: str, secret: str) -> None:
    with structlog.testing.capture_logs() as logs:
        assert post(PAYLOAD, header) == 400
    assert told(logs) == [("stripe_event_forged", "warning")]


# Hypothesis writes what JSON can spell, surrogates and endless numbers included.
ANYTHING = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(strategies.characters(exclude_categories=())),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(
            strategies.text(strategies.characters(exclude_categories=())), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@pytest.mark.slow
@hypothesis.settings(
    max_examples=40, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(
    field=strategies.sampled_from(["id", "type", "livemode", "api_version", "data", "object", "x"]),
    value=ANYTHING,
)
def test_no_signed_event_is_a_fault(field: str, value: object, secret: str) -> None:
    event = event_of()
    if field == "object":
        event["data"] = {"object": value}
    else:
        event[field] = value
    before = StripeEvent.objects.count()
    status = signed(json.dumps(event))
    kept = StripeEvent.objects.count() - before
    assert status in {200, 400}
    assert kept == 0 or status == 200
    StripeEvent.objects.all().delete()


def test_an_event_of_live_mode_is_refused_by_a_test_key(secret: str) -> None:
    assert deliver(event_of(livemode=True)).status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("field", ["id", "type"])
def test_an_event_with_an_overlong_field_is_refused(field: str, secret: str) -> None:
    assert deliver(event_of(**{field: "x" * 101})).status_code == 400
    assert not StripeEvent.objects.exists()


def test_a_huge_event_is_refused(secret: str) -> None:
    assert deliver(event_of(padding="x" * 256_000)).status_code == 413
    assert not StripeEvent.objects.exists()


def test_an_event_of_another_version_is_kept_since_objects_are_fetched_anew(secret: str) -> None:
    assert deliver(event_of(api_version="2020-08-27")).status_code == 200
    assert StripeEvent.objects.get().api_version == "2020-08-27"


def test_only_post_is_answered() -> None:
    assert Client().get(WEBHOOK).status_code == 405


def test_secrets_in_an_event_are_not_kept(secret: str) -> None:
    intent = {"id": "seti_1", "object": "setup_intent", "client_secret": "seti_1_secret_x", "customer": "c"}
    deliver(event_of(type="setup_intent.created", data={"object": intent}))
    assert "secret" not in json.dumps(StripeEvent.objects.get().payload)


def test_a_nul_character_in_an_event_does_no_harm(secret: str) -> None:
    customer = {"id": "cus_1", "object": "customer", "name": "a\0b"}
    assert deliver(event_of(data={"object": customer})).status_code == 200
    assert StripeEvent.objects.get().payload["data"]["object"]["name"] == "ab"
