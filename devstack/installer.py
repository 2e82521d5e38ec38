"""Makes `.venv` with the locked dependencies, then hands over to it. Plain standard library."""

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from devstack.messages import StackError, say
from devstack.paths import ROOT, run_directory, writable_directory

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "uv.lock"
STAMP = VENV / "installed-from"


def install() -> None:
    """Bring `.venv` to what the lock says. Does nothing when it's there already."""
    with (run_directory() / "install.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another installation")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed():
            return
        writable_directory(ROOT)
        if not has_pip():
            make_venv()
        install_uv()
        install_dependencies()
        STAMP.write_text(fingerprint())


def fingerprint() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def is_installed() -> bool:
    return STAMP.exists() and STAMP.read_text() == fingerprint() and has_pip()


def has_pip() -> bool:
    """Whether `.venv` is usable: it isn't when the Python that made it is gone, or when it was half made."""
    if not PYTHON.exists():
        return False
    return (
        subprocess.run([PYTHON, "-c", "import pip"], check=False, stderr=subprocess.DEVNULL).returncode == 0
    )


def make_venv() -> None:
    # Debian takes venv's other half, ensurepip, into a package of its own.
    if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        raise StackError(
            "Python's venv module is missing: install it (Debian and Ubuntu: `apt install python3-venv`), "
            "then try again."
        )
    say("Making .venv")
    run("Making .venv", sys.executable, "-m", "venv", "--clear", VENV)


def install_uv() -> None:
    """The locked version of uv, checked against the lock's hashes."""
    package = next(entry for entry in tomllib.loads(LOCK.read_text())["package"] if entry["name"] == "uv")
    requirement = VENV / "uv-requirement.txt"
    hashes = " ".join(f"--hash={wheel['hash']}" for wheel in package["wheels"])
    requirement.write_text(f"uv=={package['version']} {hashes}\n")
    say("Installing uv")
    pip = (PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--require-hashes")
    run("Installing uv", *pip, "--only-binary=:all:", "-r", requirement)


def install_dependencies() -> None:
    say("Installing the locked dependencies")
    # Compiled once here, or at every start where the caller's environment forbids to keep what was compiled.
    sync = ("--quiet", "sync", "--frozen", "--no-python-downloads", "--compile-bytecode")
    run("Installing the locked dependencies", VENV / "bin" / "uv", *sync)


def run(title: str, *command: str | Path) -> None:
    """Run a command. Raises `StackError` when it fails, below what it printed itself."""
    environment = {**os.environ, "PIP_USER": "0", "UV_PROJECT_ENVIRONMENT": str(VENV)}
    if not os.access(Path.home(), os.W_OK):
        environment["UV_CACHE_DIR"] = str(VENV / "uv-cache")
    if subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode:
        raise StackError(
            f"{title} failed, for the reason above. It needs a network to the package registry, room on the "
            "disk, and Linux with glibc or macOS on x86-64 or ARM64."
        )


def main() -> None:
    try:
        install()
    except StackError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    os.execv(PYTHON, [str(PYTHON), "-m", "devstack.commands", *sys.argv[1:]])


if __name__ == "__main__":
    main()
