"""Chromium, and a running portal for it. Every page that a test opens is watched, see ``watch.py``."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test import Client, override_settings
from playwright.sync_api import Browser, Page, sync_playwright

from accounts.models import User
from stripe_simulator.server import Running
from tests.billing.conftest import WEBHOOK_SECRET, stripe, stripe_server
from tests.billing.world import StripeWorld
from tests.browser.portal import Portal, Server
from tests.browser.stage import Stage
from tests.browser.watch import Watch
from tests.world import build_world, signed_in

__all__ = ["stripe", "stripe_server"]

# The first is Chromium without its windows: it takes a quarter of the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 10_000
# The main job. All other tests of pages here are slow.
QUICK = {"test_main_job.py", "test_watch.py"}

NewPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if item.path.name not in QUICK:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("Chromium is missing: install it, or name it as CHROMIUM=/path/to/it.")
    # Playwright keeps an event loop in this thread, for which Django would refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        # As people's browsers do: "back" shows what they kept of a page.
        browser = playwright.chromium.launch(
            executable_path=path, ignore_default_args=["--disable-back-forward-cache"]
        )
        yield browser
        browser.close()
        # While the loop runs this thread has another connection than before and afterwards.
        connections.close_all()


@pytest.fixture(scope="session")
def static_settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings under which files are served as in a deployment: collected, named by content, compressed."""
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    values = {
        "STATIC_ROOT": str(tmp_path_factory.mktemp("static")),
        "WHITENOISE_USE_FINDERS": False,
        "WHITENOISE_AUTOREFRESH": False,
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": backend},
        },
    }
    with override_settings(**values):
        # Those of the admin take long and stand on no page here.
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
    return values


@pytest.fixture(scope="session")
def server(static_settings: dict[str, Any], django_db_setup: None) -> Iterator[Server]:
    # The threads of the server may outlive a test, their connections must not.
    connections.settings["default"]["CONN_MAX_AGE"] = 0
    with override_settings(**static_settings):
        server = Server()
    yield server
    server.stop()


@pytest.fixture
def portal(
    transactional_db: None,
    server: Server,
    stripe: StripeWorld,
    stripe_server: Running,
    static_settings: dict[str, Any],
    settings: LazySettings,
    written_anew: None,
) -> Iterator[Portal]:
    """The portal with an empty database and an empty Stripe, each of which knows where the other is."""
    for name, value in static_settings.items():
        setattr(settings, name, value)
    settings.SITE_URL = server.url
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {**policy, "form-action": ["'self'", stripe_server.url]}
    }
    stripe.control.set_webhook_endpoint(f"{server.url}/stripe/webhook/", WEBHOOK_SECRET)
    cache.clear()
    yield Portal(url=server.url, stripe=stripe)
    stripe.control.set_webhook_endpoint(None)


@pytest.fixture
def watch(portal: Portal) -> Watch:
    return Watch(portal.url, portal.stripe.control.url)


@pytest.fixture
def new_page(chromium: Browser, portal: Portal, watch: Watch) -> Iterator[NewPage]:
    """Opens an empty page in a browser profile of its own; ``user``: who is signed in there already, or
    ``client``: whose session it goes on with.

    The test fails in the end if any page broke a rule of ``watch.py``.
    """
    contexts = []

    def open_page(*, user: User | None = None, client: Client | None = None, **options: Any) -> Page:
        # Without animations, so that nothing moves while it is clicked.
        context = chromium.new_context(base_url=portal.url, reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE_MS)
        watch.follow(context)
        contexts.append(context)
        client = signed_in(user) if user else client
        if client is not None and settings.SESSION_COOKIE_NAME in client.cookies:
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": portal.url}])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    assert not watch.faults, "\n".join(watch.faults)


@pytest.fixture
def stage(
    portal: Portal, new_page: NewPage, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> Stage:
    return Stage(build_world(), portal, new_page, settings, monkeypatch)
