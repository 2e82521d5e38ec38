"""The simulator as a process: ready line, clean stop, and a kill that loses nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import stripe

from stripe_simulator.control import Control
from stripe_simulator.tests.conftest import Receiver, make_client
from stripe_simulator.tests.process import KEY, running


@pytest.mark.slow
def test_state_and_undelivered_webhooks_survive_a_kill(tmp_path: Path, receiver: Receiver) -> None:
    with running(tmp_path) as (process, url):
        control, client = Control(url), make_client(url, KEY)
        control.set_webhook_endpoint(receiver.url, "whsec_simulator")
        control.hold_webhooks()
        control.set_clock(2_000_000_000)
        made = client.v1.customers.create({"name": "Acme"}, {"idempotency_key": "a-key"})
        process.send_signal(signal.SIGKILL)
        process.wait(5)
    assert receiver.events == []
    with running(tmp_path) as (process, url):
        control, client = Control(url), make_client(url, KEY)
        again = client.v1.customers.create({"name": "Acme"}, {"idempotency_key": "a-key"})
        assert again.id == made.id
        assert control.now() - 2_000_000_000 in range(60)
        control.release_webhooks()
        assert control.wait_for_webhooks()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert receiver.types == ["customer.created"]


@pytest.mark.slow
def test_port_and_webhooks_come_from_the_environment(tmp_path: Path, receiver: Receiver) -> None:
    given = {"STRIPE_WEBHOOK_URL": receiver.url, "STRIPE_WEBHOOK_SECRET": "whsec_simulator"}
    with running(tmp_path, "--port", "0", **given) as (_, url):
        client = make_client(url, KEY)
        customer = client.v1.customers.create({"name": "Acme"})
        assert Control(url).wait_for_webhooks()
        port = url.rpartition(":")[2]
        second = subprocess.run(
            [sys.executable, "-m", "stripe_simulator", "--data", str(tmp_path / "other")],
            env={**os.environ, "STRIPE_SECRET_KEY": KEY, "STRIPE_SIMULATOR_PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )
    assert [event.data.object["id"] for event in receiver.events] == [customer.id]
    assert second.returncode == 1
    assert second.stderr.startswith(f"The Stripe simulator cannot start on port {port}: ")


@pytest.mark.slow
def test_live_key_is_refused(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "stripe_simulator", "--data", str(tmp_path), "--api-key", "sk_live_x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "start with sk_test_" in refused.stderr


def test_api_version_is_the_packages(tmp_path: Path, control: Control) -> None:
    assert control.state()["api_version"] == stripe.api_version
