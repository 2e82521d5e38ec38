"""Accepts an invitation to a team of pretix's for each line that comes in, and tells what it took.

An answer is ``<milliseconds> <of processor time> <statements>``, from pretix's own test client to the answer
of its whole application: a GET, which is how pretix accepts.
"""

import sys
import time
from http import HTTPStatus

import django

django.setup()

# Models can be imported only now.
from django.contrib.messages.storage.session import SessionStorage  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django_scopes import scopes_disabled  # noqa: E402
from pretix.base.models import Organizer, Team, TeamInvite, User  # noqa: E402


def main() -> None:
    call_command("migrate", verbosity=0)
    with scopes_disabled():
        team = Team.objects.create(
            organizer=Organizer.objects.create(name="Measured", slug="measured"), name="Finance"
        )
        invitee = User.objects.create_user("person@invitee.test", "a-long-enough-phrase")
    client = Client(SERVER_NAME="localhost")
    client.force_login(invitee)
    print("ready", flush=True)
    for _line in sys.stdin:
        with scopes_disabled():
            team.members.remove(invitee)
            invite = TeamInvite.objects.create(team=team, email=invitee.email)
            # Messages that no page has shown would pile up.
            session = client.session
            session.pop(SessionStorage.session_key, None)
            session.save()
        with CaptureQueriesContext(connection) as statements:
            started, cpu_started = time.perf_counter(), time.process_time()
            answer = client.get(f"/control/invite/{invite.token}")
            seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        with scopes_disabled():
            if answer.status_code != HTTPStatus.FOUND or not team.members.filter(pk=invitee.pk).exists():
                raise RuntimeError(f"Not accepted: {answer.status_code} {answer.headers}")
        print(1000 * seconds, 1000 * cpu_seconds, len(statements), flush=True)


main()
