"""Making `.venv`, in a copy of the few files that it needs."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import installer
from devstack.messages import StackError
from devstack.paths import ROOT


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout that the installer works on."""
    shutil.copy(ROOT / "uv.lock", tmp_path)
    monkeypatch.setattr(installer, "ROOT", tmp_path)
    monkeypatch.setattr(installer, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(installer, "PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(installer, "LOCK", tmp_path / "uv.lock")
    monkeypatch.setattr(installer, "STAMP", tmp_path / ".venv/installed-from")
    monkeypatch.setenv("RUN_DIR", str(tmp_path / ".run"))
    return tmp_path


def test_missing_venv_module_is_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(StackError, match="apt install python3-venv"):
        installer.install()


def test_uv_is_installed_as_locked_with_hashes(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer.VENV.mkdir()
    commands: list[tuple[object, ...]] = []
    monkeypatch.setattr(installer, "run", lambda _title, *command: commands.append(command))
    installer.install_uv()
    requirement = (installer.VENV / "uv-requirement.txt").read_text()
    assert requirement.startswith("uv==")
    assert requirement.count("--hash=sha256:") > 5
    assert "--require-hashes" in commands[0]


def test_interrupted_installation_is_not_taken_for_a_finished_one(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    for step in ("make_venv", "install_uv", "install_dependencies"):
        monkeypatch.setattr(installer, step, lambda step=step: done.append(step))
    installer.PYTHON.parent.mkdir(parents=True)
    installer.PYTHON.symlink_to(checkout / "python-that-is-gone")
    installer.install()
    assert done == ["make_venv", "install_uv", "install_dependencies"]

    installer.PYTHON.unlink()
    installer.PYTHON.symlink_to(sys.executable)
    monkeypatch.setattr(installer, "has_pip", lambda: True)
    installer.install()
    assert len(done) == 3

    (checkout / "uv.lock").write_text("another lock")
    installer.install()
    assert done[3:] == ["install_uv", "install_dependencies"]


def test_failed_installation_says_what_it_needs(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StackError, match="network to the package registry"):
        installer.run("Installing uv", sys.executable, "-c", "raise SystemExit('no route to host')")
    assert "no route to host" in capfd.readouterr().err


def test_read_only_checkout_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file_in_the_way = checkout / "file"
    file_in_the_way.touch()
    monkeypatch.setenv("RUN_DIR", str(file_in_the_way / "run"))
    with pytest.raises(StackError, match=r"^Cannot write to .*use a checkout in a folder of your own"):
        installer.install()


@pytest.mark.slow
def test_make_demo_builds_its_environment_from_nothing(tmp_path: Path, newcomer: None) -> None:
    copy = tmp_path / "a checkout"
    copy.mkdir()
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "devstack", copy / "devstack", ignore=shutil.ignore_patterns("__pycache__"))
    answer = subprocess.run(
        ["make", "demo", "PORT=none", f"PYTHON={sys.base_prefix}/bin/python3"],
        check=False,
        cwd=copy,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert "PORT=none is no port" in answer.stderr.splitlines()[-2], answer.stderr
    assert (copy / ".venv/bin/gunicorn").exists()
