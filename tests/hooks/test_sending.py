"""One webhook over the wire: it reaches the checked address, and keeps nobody waiting."""

import socket
import threading
import time

import pytest
from pytest_django import Settings

from hooks import sending
from hooks.addresses import Address, Target, Unfit
from hooks.sending import NoAnswer, NotAnswered, post
from tests.hooks.receiver import Receiver, trickling_server


def reason(url: str) -> str:
    with pytest.raises(NotAnswered) as caught:
        post(url, b"{}", {})
    return caught.value.reason


def test_what_the_server_says_is_cut_short(receiver: Receiver) -> None:
    receiver.status, receiver.answer = 503, b"\x00\xff" + b"x" * 3000
    answer = post(receiver.url, b"{}", {"X-One": "1"})
    assert (answer.status, len(answer.text), "\x00" in answer.text) == (503, 500, False)
    (received,) = receiver.received
    assert (received.path, received.body, received.headers["X-One"]) == ("/in?team=9", b"{}", "1")
    assert received.headers["Host"] == receiver.url.split("/")[2]


def test_no_redirect_is_followed(receiver: Receiver) -> None:
    receiver.status, receiver.location = 307, receiver.url
    assert post(receiver.url, b"{}", {}).status == 307
    assert len(receiver.received) == 1


def test_no_proxy_of_the_environment_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert post(receiver.url, b"{}", {}).status == 200


def test_an_address_inside_is_refused_at_each_sending(receiver: Receiver, settings: Settings) -> None:
    settings.WEBHOOKS_MAY_STAY_INSIDE = False
    assert reason("https://127.0.0.1/") == Unfit.INSIDE
    assert reason(receiver.url) == Unfit.NOT_HTTPS
    assert receiver.received == []


def test_a_name_that_changes_its_address_is_asked_for_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to the checked address: a second look-up would lead elsewhere."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    asked, real = [], socket.getaddrinfo

    def look_up(host: str, *args: object, **kwargs: object) -> object:
        if host != "rebound.test":
            return real(host, *args, **kwargs)  # type: ignore[arg-type]
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert post(f"http://rebound.test:{port}/", b"{}", {}).status == 200
    assert asked == ["rebound.test"]
    assert receiver.received[0].headers["Host"] == f"rebound.test:{port}"


def test_a_server_that_hangs_or_trickles_keeps_nobody(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    receiver.hangs = True
    assert reason(receiver.url) == NoAnswer.TOO_SLOW
    listening, url = trickling_server()
    with listening:
        assert reason(url) == NoAnswer.TOO_SLOW
    stop_at = time.monotonic() + 5
    while any(thread.name == "webhook" for thread in threading.enumerate()):
        assert time.monotonic() < stop_at, "a thread is kept"
        time.sleep(0.01)


def test_a_name_that_is_found_too_late_leads_nowhere(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attacker's name server answers late: what it leads to must not keep the thread for good."""
    monkeypatch.setattr(sending, "SECONDS", 0.1)
    found, look_up = threading.Event(), sending.addresses_of

    def look_up_late(target: Target) -> list[Address]:
        found.wait(5)
        return look_up(target)

    monkeypatch.setattr(sending, "addresses_of", look_up_late)
    receiver.hangs = True
    assert reason(receiver.url) == NoAnswer.TOO_SLOW
    found.set()
    for thread in threading.enumerate():
        if thread.name == "webhook":
            thread.join(2)
            assert not thread.is_alive()
    assert receiver.received == []


def test_a_closed_port_and_another_protocol_are_told_apart(settings: Settings) -> None:
    settings.WEBHOOKS_MAY_STAY_INSIDE = True
    assert reason("http://127.0.0.1:1/") == NoAnswer.NO_CONNECTION
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"220 mail.ledger.test ESMTP\r\n")
                connection.recv(10_000)

        greeting = threading.Thread(target=greet)
        greeting.start()
        assert reason(f"http://127.0.0.1:{listening.getsockname()[1]}/") == NoAnswer.NO_HTTP
        greeting.join()
