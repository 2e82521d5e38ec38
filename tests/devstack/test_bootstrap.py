"""What a newcomer reads whose machine can't run this."""

import ast
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

from devstack import bootstrap
from devstack.paths import ROOT


def refusal() -> str:
    with pytest.raises(SystemExit) as refused:
        bootstrap.main()
    return str(refused.value)


def test_first_file_parses_on_python_3_6() -> None:
    ast.parse(Path(bootstrap.__file__).read_text(), feature_version=(3, 6))


def test_old_python_is_named_and_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (3, 99))
    monkeypatch.setenv("PATH", str(tmp_path))
    sentence = refusal()
    assert sys.executable in sentence
    assert "make demo PYTHON=" in sentence


def test_old_python_finds_a_newer_one_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    newer, broken = tmp_path / "python3.12", tmp_path / "python3.13"
    newer.write_text("#!/bin/sh\nexit 0\n")
    broken.write_text("#!/bin/sh\nexit 127\n")
    for program in (newer, broken):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    monkeypatch.setattr(bootstrap, "NEWEST_TRIED", 13)
    assert bootstrap.newer_python() == str(newer)


def test_windows_and_musl_are_told_that_there_are_no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "os", SimpleNamespace(name="nt"))
        assert "WSL" in refusal()
    with monkeypatch.context() as patch:
        patch.setattr(sysconfig, "get_config_var", lambda _name: "cpython-311-x86_64-linux-musl")
        assert "docker compose up" in refusal()


def test_make_without_python_says_so() -> None:
    answer = subprocess.run(
        ["make", "demo", "PYTHON=python-that-is-not-there"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 2
    assert answer.stderr.startswith("There is no python-that-is-not-there: install Python 3.11 or later")


def test_help_lists_every_target_with_its_words() -> None:
    answer = subprocess.run(["make", "help"], check=True, cwd=ROOT, capture_output=True, text=True).stdout
    listed = {line.split()[1] for line in answer.splitlines()}
    assert listed >= {"demo", "demo-reset", "test", "test-full", "lint", "format", "bench", "shell", "help"}
