"""No webhook goes into our own network, whatever an address looks like."""

import ipaddress
import socket
import threading
import time

import pytest

from hooks import addresses
from hooks.addresses import Unfit, UnfitAddress, addresses_of, is_public, target_of
from hooks.forms import EndpointForm

INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # Alibaba's metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure's own
    "169.254.169.254",  # metadata of most clouds
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",  # Oracle's metadata
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # Amazon's metadata
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
]
OUTSIDE += ["192.167.1.1", "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888"]


@pytest.mark.parametrize("address", INSIDE)
def test_inside(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_outside(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)


def refusal(url: str) -> Unfit | None:
    try:
        addresses_of(target_of(url))
    except UnfitAddress as unfit:
        return unfit.reason
    return None


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://ⓛocalhost/",
    ],
)
def test_every_spelling_of_an_inside_address_is_refused(url: str) -> None:
    assert refusal(url) == Unfit.INSIDE


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", Unfit.NOT_HTTPS),
        ("ftp://example.com/", Unfit.NOT_HTTPS),
        ("file:///etc/passwd", Unfit.MISSPELLED),
        ("https://", Unfit.MISSPELLED),
        ("https://[::1/", Unfit.MISSPELLED),
        (f"https://{'x' * 64}.test/", Unfit.MISSPELLED),
        ("https://example.com:99999/", Unfit.MISSPELLED),
        ("https://me:secret@example.com/", Unfit.WITH_PASSWORD),
        ("https://example.com@10.0.0.1/", Unfit.WITH_PASSWORD),
        ("https://example.com:8443/", Unfit.OTHER_PORT),
        ("https://example.com:22/", Unfit.OTHER_PORT),
        ("https://no-such-host.invalid/", Unfit.UNKNOWN_HOST),
    ],
)
def test_an_unfit_address_is_told_why(url: str, reason: Unfit) -> None:
    assert refusal(url) == reason


def test_a_host_with_one_inside_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "1.1.1.1", "10.0.0.1")
    assert refusal("https://example.com/") == Unfit.INSIDE
    resolves_to(monkeypatch, "1.1.1.1", "2606:4700:4700::1111")
    assert refusal("https://example.com/") is None


def test_a_name_server_that_hangs_keeps_no_page_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(addresses, "LOOK_UP_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answered.wait(10) and [])
    form = EndpointForm({"url": "https://slow.ledger.test/in", "people": ["membership.removed"]})
    began = time.monotonic()
    try:
        assert form.errors["url"] == [str(Unfit.SLOW_LOOK_UP.label)]
        assert time.monotonic() - began < 2
    finally:
        answered.set()
