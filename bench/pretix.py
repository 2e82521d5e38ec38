"""python -m bench.pretix [--samples N]: an invitation accepted, here and by pretix 2026.8.

Both by Django's test client, each in a process of its own, by turns, on the same PostgreSQL server. There a
GET accepts, for anybody who holds the link; here a POST does, by the person with the invited address, and the
mail to the admins goes with it. Nothing is left of the acceptance before, such as a message that no page has
shown. The peer has an environment of its own, made by the first run.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple, cast
from urllib.parse import urlsplit

import django
from django.conf import settings

settings.ROOT_URLCONF = "bench.urls"
django.setup()

# Models can be imported only now.
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from accounts.models import User  # noqa: E402
from bench.database import own_database, own_static_files  # noqa: E402
from bench.peers.environment import environment_of  # noqa: E402
from bench.statements import sent_statements  # noqa: E402
from invitations.claims import SESSION_KEY, Channel, Claim, keep_claim  # noqa: E402
from invitations.models import Invitation, Kind  # noqa: E402
from orgs.models import Membership, Organization  # noqa: E402
from orgs.policy import Role  # noqa: E402

PEER = Path(__file__).with_name("peers") / "pretix"
WARM_UP = 5


class Acceptance(NamedTuple):
    milliseconds: float
    cpu_milliseconds: float
    statements: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pretix", description=__doc__)
    parser.add_argument("--samples", type=int, default=100, help="of each (default: 100)")
    arguments = parser.parse_args()
    python = environment_of("pretix")
    with own_database(), own_static_files(), peer(python) as there:
        here = acceptances()
        pairs = [(here(), there()) for _time in range(WARM_UP + arguments.samples)][WARM_UP:]
    print(f"{'':22} {'here':>8} {'pretix':>8} {'ratio':>6}")
    for name in Acceptance._fields:
        ours, theirs = (median(getattr(pair[side], name) for pair in pairs) for side in (0, 1))
        print(f"{name:22} {ours:8.2f} {theirs:8.2f} {ours / theirs:6.2f}")


def acceptances() -> Callable[[], Acceptance]:
    """Accepts an invitation by mail as a billing manager, whenever it is called."""
    organization = Organization.objects.create(
        name="Measured", slug="measured", edition_code="enterprise-growth"
    )
    admin = User.objects.create_user("admin@measured.test", name="Admin")
    Membership.objects.create(organization=organization, user=admin, role=Role.ADMIN)
    invitee = User.objects.create_user("person@invitee.test", name="Invitee")
    invitee.emailaddress_set.create(email=invitee.email, primary=True, verified=True)
    client = Client(HTTP_HOST=urlsplit(settings.SITE_URL).netloc)
    client.force_login(invitee)

    def accept() -> Acceptance:
        Membership.objects.for_org(organization).filter(user=invitee).delete()
        invitation = Invitation.objects.create(
            organization=organization,
            kind=Kind.MAIL,
            role=Role.BILLING_MANAGER,
            email=invitee.email,
            invited_by=admin,
            invited_by_name=admin.name,
        )
        client.cookies.pop("messages", None)
        session = client.session
        session.pop(SESSION_KEY, None)
        keep_claim(session, Claim(invitation.pk, invitation.generation, Channel.MAIL))
        session.save()
        url, shown = f"/invitations/{invitation.pk}/accept/", {"generation": invitation.generation}
        with sent_statements() as statements:
            started, cpu_started = time.perf_counter(), time.process_time()
            answer = client.post(url, shown)
            seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        if answer.status_code != HTTPStatus.FOUND or not Membership.objects.filter(user=invitee).exists():
            raise RuntimeError(f"Not accepted: {answer.status_code}")
        return Acceptance(1000 * seconds, 1000 * cpu_seconds, len(statements))

    return accept


@contextmanager
def peer(python: Path) -> Iterator[Callable[[], Acceptance]]:
    """Run pretix on a database of its own, on the same server; yields what lets it accept once."""
    name, server = f"bench_peer_{os.getpid()}", connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        with TemporaryDirectory() as folder:
            configuration = Path(folder) / "pretix.cfg"
            configuration.write_text(
                f"[pretix]\nurl=http://localhost\ndatadir={folder}\n"
                f"[database]\nbackend=postgresql\nname={name}\nuser={server['USER']}\n"
                f"password={server['PASSWORD']}\nhost={server['HOST']}\nport={server['PORT']}\n"
            )
            variables = {
                "PATH": os.environ["PATH"],
                "DJANGO_SETTINGS_MODULE": "pretix.settings",
                "PRETIX_CONFIG_FILE": str(configuration),
            }
            with subprocess.Popen(
                [python, "accept.py"],
                cwd=PEER,
                env=variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as process:
                orders, answers = cast(IO[str], process.stdin), cast(IO[str], process.stdout)

                def accept() -> Acceptance:
                    print("accept", file=orders, flush=True)
                    milliseconds, cpu_milliseconds, statements = answers.readline().split()
                    return Acceptance(float(milliseconds), float(cpu_milliseconds), int(statements))

                answers.readline()
                yield accept
                orders.close()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    main()
