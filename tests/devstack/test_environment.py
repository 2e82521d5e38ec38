"""What every process of the stack finds in its environment, and the ports and checks around it."""

import re
import socket
from pathlib import Path

import pytest

from devstack.environment import SIMULATOR_KEY, environment
from devstack.lint import foreign_hosts
from devstack.memory import LOOPBACK, remembered_port
from devstack.messages import StackError
from devstack.paths import ROOT
from devstack.site_port import check_port, requested_port

pytestmark = pytest.mark.usefixtures("newcomer")


def made(directory: Path) -> dict[str, str]:
    return environment(
        directory=directory,
        mail=directory / "mail",
        site_url="http://127.0.0.1:8000",
        database_url="postgres://ours",
        redis_url="redis://ours",
        stripe_api_base="http://127.0.0.1:12111",
    )


def test_secrets_are_random_and_kept_for_their_owner_only(tmp_path: Path) -> None:
    first, again = made(tmp_path), made(tmp_path)
    for name in ("SECRET_KEY", "INVITATION_SIGNING_KEYS", "STRIPE_WEBHOOK_SECRET"):
        assert first[name] == again[name]
    assert first["SECRET_KEY"] != first["INVITATION_SIGNING_KEYS"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_simulator_serves_unless_a_key_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made(tmp_path)["STRIPE_SECRET_KEY"] == SIMULATOR_KEY
    assert made(tmp_path)["STRIPE_API_BASE"] == "http://127.0.0.1:12111"
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_mine")
    assert made(tmp_path)["STRIPE_SECRET_KEY"] == "sk_test_mine"
    assert "STRIPE_API_BASE" not in made(tmp_path)


@pytest.mark.parametrize("key", ["sk_live_mine", "rk_live_mine"])
def test_live_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    with pytest.raises(StackError, match="is a live key"):
        made(tmp_path)


def test_variables_of_other_programs_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("DEBUG", "*")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("NO_PROXY", "example.com")
    variables = made(tmp_path)
    assert "PGSSLMODE" not in variables
    assert "DEBUG" not in variables
    assert "PYTHONDONTWRITEBYTECODE" not in variables
    assert variables["NO_PROXY"] == "example.com,127.0.0.1,localhost"


NO_PORTS = [
    "none",
    "0",
    "65536",
    "-1",
    "80 80",
    "²",
    "80",
    "1023",
    "00443",
    "+8123",
    "8_123",
    "8123.0",
    "1e4",
]
DIGITS_OF_OTHER_SCRIPTS = ["٨١٢٣", "८१२३", "８１２３", "𝟠𝟙𝟚𝟛"]


@pytest.mark.parametrize(
    "given", [*NO_PORTS, *DIGITS_OF_OTHER_SCRIPTS, "9" * 5000, "8123\n", "\x1b[2J", "\udcff"]
)
def test_port_that_is_none_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PORT", given)
    with pytest.raises(StackError) as refused:
        requested_port()
    sentence = r"PORT=[^\x00-\x1f]{1,80} is no port for the demo: give a number between 1024 and 65535\."
    assert re.fullmatch(sentence, str(refused.value))


@pytest.mark.parametrize("given", [1024, 8113, 65535])
def test_port_that_anybody_may_take_is_accepted(monkeypatch: pytest.MonkeyPatch, given: int) -> None:
    monkeypatch.setenv("PORT", str(given))
    assert requested_port() == given


def test_busy_port_is_named_with_a_way_out() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=rf"^Another program uses port {port}: .*`PORT=8123 make demo`"):
            check_port(port)
    check_port(port)


def test_port_is_remembered_until_somebody_else_has_it(tmp_path: Path) -> None:
    port = remembered_port(tmp_path / "port")
    assert remembered_port(tmp_path / "port") == port
    with socket.create_server((LOOPBACK, port)):
        assert remembered_port(tmp_path / "port") != port


def test_lock_names_the_public_index_only() -> None:
    assert foreign_hosts((ROOT / "uv.lock").read_text()) == set()
    assert foreign_hosts('url = "https://user:secret@mirror.example/simple/x.whl"') == {"mirror.example"}
