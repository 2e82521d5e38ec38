"""Where a webhook may go: to public addresses only, never into the network that the portal runs in.

The ranges are those of IANA's registries of special-purpose addresses (RFC 6890), and Azure's public
address for the machine itself. Of IPv6 only 2000::/3 is in public use, which leaves out mapped and NAT64
forms of IPv4; what there carries another address within it is left out too.
"""

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

INSIDE = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")

LOOK_UP_SECONDS = 3.0
# A look-up knows no time limit, so no more of them than these are left behind.
_look_ups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="look-up")


class Unfit(TextChoices):
    """Why an address gets no webhook."""

    NOT_HTTPS = "not_https", _("The address must begin with https://.")
    WITH_PASSWORD = "with_password", _("Leave the name and password out of the address.")
    OTHER_PORT = "other_port", _("Only port 443 gets webhooks. Leave the port out of the address.")
    MISSPELLED = "misspelled", _("Check the address: it has no valid host.")
    UNKNOWN_HOST = "unknown_host", _("No server was found under this host name.")
    SLOW_LOOK_UP = "slow_look_up", _("The host name was not found in time. Check it, then try again.")
    INSIDE = "inside", _("This address leads into a private network. Webhooks go to public addresses only.")


class UnfitAddress(Exception):
    """No webhook goes there."""

    def __init__(self, reason: Unfit) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Target:
    """A checked URL. ``path``: with the query, as a request line has it."""

    secure: bool
    host: str
    port: int
    path: str


def target_of(url: str) -> Target:
    """What the URL names. Asks nobody. Raises UnfitAddress."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:
        raise UnfitAddress(Unfit.MISSPELLED) from None
    if not host:
        raise UnfitAddress(Unfit.MISSPELLED)
    secure = parts.scheme == "https"
    if not secure and not (settings.WEBHOOKS_MAY_STAY_INSIDE and parts.scheme == "http"):
        raise UnfitAddress(Unfit.NOT_HTTPS)
    if parts.username is not None or parts.password is not None:
        raise UnfitAddress(Unfit.WITH_PASSWORD)
    port = port or (443 if secure else 80)
    if port != 443 and not settings.WEBHOOKS_MAY_STAY_INSIDE:
        raise UnfitAddress(Unfit.OTHER_PORT)
    query = f"?{parts.query}" if parts.query else ""
    return Target(secure=secure, host=host, port=port, path=(parts.path or "/") + query)


def addresses_of(target: Target) -> list[Address]:
    """The host's addresses, asked for once: connect to these, not to the name. Raises UnfitAddress.

    One that leads inside refuses all: who names a host can change which address comes first.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    except (OSError, ValueError):
        raise UnfitAddress(Unfit.UNKNOWN_HOST) from None
    if not all(is_public(address) for address in addresses) and not settings.WEBHOOKS_MAY_STAY_INSIDE:
        raise UnfitAddress(Unfit.INSIDE)
    return addresses


def ensure_addresses_fit(target: Target) -> None:
    """The same for a person who waits, in seconds: a name server that hangs may not keep the web threads.

    Raises UnfitAddress.
    """
    try:
        _look_ups.submit(addresses_of, target).result(LOOK_UP_SECONDS)
    except TimeoutError:
        raise UnfitAddress(Unfit.SLOW_LOOK_UP) from None


def is_public(address: Address) -> bool:
    if address.version == 6 and address not in PUBLIC_IPV6:
        return False
    return not any(address in network for network in INSIDE)
