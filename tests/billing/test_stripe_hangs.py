"""The portal's web server while Stripe is frozen: only those who press a button of Stripe's notice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import stripe as stripe_library
from django.conf import LazySettings
from django.db import connection

from accounts.models import User
from billing.gateway.patience import PLACES
from billing.models import OperationState, StripeOperation
from devstack.memory import LOOPBACK, port_answers, remembered_port
from devstack.paths import ROOT
from orgs.models import Membership
from orgs.policy import Role
from stripe_simulator.control import Control
from stripe_simulator.tests.process import KEY, running
from tests.billing.factories import BillingAccountFactory, InvoiceFactory
from tests.billing.file_server import PDF, FileServer, file_server
from tests.billing.file_server import Answer as FileAnswer
from tests.billing.world import StripeWorld, card_url, sweep_everything
from tests.factories import MembershipFactory
from tests.outbox.processes import wait_until
from tests.world import signed_in

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PEOPLE = 8
# The issue's: 4 s for the calls of one press, and what the rest of a request takes on a busy machine.
PRESS_SECONDS = 5.5
HEALTH_SECONDS = 1.0
PAGE_SECONDS = 2.0
SENTENCES = (
    "Stripe does not answer right now. Nothing was changed. Try again in a minute.",
    "Other people wait for Stripe right now. Nothing was changed. Try again in a moment.",
)


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    text: str
    seconds: float


class Browser:
    """A signed-in person at a port of this machine; a connection of its own for each request."""

    def __init__(self, port: int, user: User) -> None:
        self.port = port
        self.cookies = {"csrftoken": "c" * 32, "sessionid": signed_in(user).cookies["sessionid"].value}

    def get(self, path: str) -> Answer:
        return self._request("GET", path, None)

    def post(self, path: str) -> Answer:
        return self._request("POST", path, urlencode({"csrfmiddlewaretoken": self.cookies["csrftoken"]}))

    def _request(self, method: str, path: str, body: str | None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.monotonic()
        http = HTTPConnection(LOOPBACK, self.port, timeout=60)
        http.request(method, path, body, headers)
        response = http.getresponse()
        text = response.read().decode()
        http.close()
        seconds = time.monotonic() - began
        for given in response.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: cookie.coded_value for name, cookie in SimpleCookie(given).items()}
        return Answer(response.status, response.headers.get("Location", ""), text, seconds)


@dataclass
class Slowest:
    """Asks for pages in turn until told to stop, and remembers how long each took at most."""

    browser: Browser
    paths: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.stopped.wait(0.05):
            for path in self.paths:
                answer = self.browser.get(path)
                assert answer.status == 200
                self.seconds[path] = max(answer.seconds, self.seconds.get(path, 0))


@dataclass(frozen=True)
class Stage:
    """``stripe_process``: the simulator, to be frozen. ``port``: the portal's."""

    stripe_process: "subprocess.Popen[str]"
    stripe: StripeWorld
    port: int

    def browser(self, user: User) -> Browser:
        return Browser(self.port, user)

    def freeze(self) -> None:
        self.stripe_process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.stripe_process.send_signal(signal.SIGCONT)


@pytest.fixture
def trickle() -> Iterator[FileServer]:
    """A Stripe that says at once where a PDF is, and takes a minute to send it."""
    with file_server() as files:
        files.answers["/pdf"] = FileAnswer(PDF[:1000], seconds=60)
        yield files


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path, settings: LazySettings) -> Iterator[Stage]:
    """The simulator and gunicorn as processes, this one with the demo's worker class and threads.

    A test with a ``trickle`` has the portal ask that instead.
    """
    trickling = "trickle" in request.fixturenames
    with running(tmp_path / "stripe", "--port", "0") as (stripe_process, url):
        settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = url, KEY
        api = stripe_library.StripeClient(KEY, base_addresses={"api": url}, max_network_retries=0)
        port = remembered_port(tmp_path / "port")
        asked = request.getfixturevalue("trickle").url if trickling else url
        with gunicorn(port, tmp_path / "gunicorn.log", STRIPE_API_BASE=asked, STRIPE_SECRET_KEY=KEY) as web:
            wait_until(lambda: port_answers(port) or web.poll() is not None)
            stage = Stage(stripe_process, StripeWorld(control=Control(url), api=api.v1), port)
            yield stage
            stage.thaw()
            web.terminate()
            web.wait(30)


def gunicorn(port: int, log: Path, **environment: str) -> "subprocess.Popen[bytes]":
    database = connection.settings_dict
    with log.open("wb") as output:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "billing_portal.wsgi:application"),
                *("--bind", f"{LOOPBACK}:{port}", "--worker-class", "gthread", "--threads", "4"),
                "--no-control-socket",
            ],
            cwd=ROOT,
            env={
                **os.environ,
                **environment,
                "DATABASE_URL": "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database),
                "SITE_URL": f"http://{LOOPBACK}:{port}",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@pytest.fixture
def people(stage: Stage) -> list[Membership]:
    """Admins of as many organizations, each with an invoice; nobody has a customer at Stripe yet."""
    found = MembershipFactory.create_batch(PEOPLE, role=Role.ADMIN)
    for person in found:
        InvoiceFactory(organization=person.organization)
    return found


@pytest.fixture
def watch(stage: Stage) -> Iterator[Slowest]:
    """Somebody who only looks at pages, and a probe of the server's health, meanwhile."""
    looker = MembershipFactory(role=Role.ADMIN)
    BillingAccountFactory(organization=looker.organization)
    home = f"/orgs/{looker.organization.slug}/"
    watch = Slowest(
        stage.browser(looker.user),
        ["/healthz", home, f"{home}settings/members/", f"{home}settings/billing/"],
    )
    for path in watch.paths:
        assert watch.browser.get(path).status == 200, path
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch.watch)
        yield watch
        watch.stopped.set()
        watching.result()


def test_only_those_who_press_wait_and_no_longer_than_a_person_does(
    stage: Stage, people: list[Membership], watch: Slowest
) -> None:
    browsers = [stage.browser(person.user) for person in people]
    stage.freeze()
    with ThreadPoolExecutor(PEOPLE) as pool:
        presses = list(pool.map(lambda n: browsers[n].post(card_url(people[n])), range(PEOPLE)))
    watch.stopped.set()
    assert {answer.status for answer in presses} == {302}
    assert max(answer.seconds for answer in presses) < PRESS_SECONDS
    for browser, answer in zip(browsers, presses, strict=True):
        page = browser.get(urlsplit(answer.location).path).text
        assert any(sentence in page for sentence in SENTENCES)
    assert watch.seconds.pop("/healthz") < HEALTH_SECONDS
    assert max(watch.seconds.values()) < PAGE_SECONDS
    stage.thaw()
    wait_until(lambda: browsers[0].post(card_url(people[0])).status == 303, seconds=30)
    sweep_everything()
    assert not StripeOperation.objects.filter(state=OperationState.PENDING).exists()
    for browser, person in zip(browsers, people, strict=True):
        assert browser.post(card_url(person)).status == 303
    assert len(stage.stripe.customers()) == len(stage.stripe.sessions()) == PEOPLE


def test_who_wants_a_pdf_of_a_frozen_stripe_waits_no_longer_than_a_person_does(
    stage: Stage, people: list[Membership], watch: Slowest
) -> None:
    stage.freeze()
    answers = pdfs_asked_for_at_once(stage, people)
    watch.stopped.set()
    assert {answer.status for answer in answers} == {503}
    assert_nobody_else_noticed(answers, watch)


def test_a_pdf_that_comes_in_a_trickle_keeps_nobody_else_waiting(
    trickle: FileServer, stage: Stage, people: list[Membership], watch: Slowest
) -> None:
    answers = pdfs_asked_for_at_once(stage, people)
    watch.stopped.set()
    assert {answer.status for answer in answers} == {503}
    assert trickle.asked.count("/pdf") == PLACES
    assert_nobody_else_noticed(answers, watch)


def pdfs_asked_for_at_once(stage: Stage, people: list[Membership]) -> list[Answer]:
    paths = [
        f"/orgs/{person.organization.slug}/settings/billing/invoices/{person.organization.invoices.get().pk}/pdf/"
        for person in people
    ]
    browsers = [stage.browser(person.user) for person in people]
    with ThreadPoolExecutor(PEOPLE) as pool:
        return list(pool.map(lambda n: browsers[n].get(paths[n]), range(PEOPLE)))


def assert_nobody_else_noticed(answers: list[Answer], watch: Slowest) -> None:
    assert max(answer.seconds for answer in answers) < PRESS_SECONDS
    assert watch.seconds.pop("/healthz") < HEALTH_SECONDS
    assert max(watch.seconds.values()) < PAGE_SECONDS
