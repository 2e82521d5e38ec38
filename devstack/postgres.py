"""Our own PostgreSQL server, from its wheel, for those who have none."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from devstack.memory import LOOPBACK, remembered_port, remembered_secret, write_private
from devstack.messages import StackError
from devstack.paths import writable_directory
from devstack.postgres_binaries import Account, account_for, find_binaries, reachable_binaries, version_of

USER = "portal"
MAX_CONNECTIONS = 200
START_ATTEMPTS = 5
# For data that nobody misses after a power cut.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres:
    """One server with its data below `directory`; a password keeps the machine's other users out.

    Root runs it as an ordinary user. Where that user can't come (a checkout below `/root`), data and programs
    lie below `/var/tmp` and `directory` remembers where.
    """

    def __init__(self, directory: Path, *, durable: bool) -> None:
        self.directory = directory
        self.durable = durable
        binaries = find_binaries()
        version = version_of(binaries)
        writable_directory(directory)
        home, self.account = self._home(f"data-{version.split('.')[0]}")
        self.data = home / f"data-{version.split('.')[0]}"
        self.binaries = reachable_binaries(binaries, version, self.account, home)
        self.major = int(version.split(".")[0])

    def start(self) -> None:
        """Start unless it runs already, and wait until it answers. Makes the data the first time."""
        if self.is_running():
            return
        if not self.data.exists():
            self._initialize()
        for attempt in range(START_ATTEMPTS):
            if self._starts():
                return
            # What a killed server left behind ends soon, and another program may just have taken our port.
            time.sleep(0.2 * attempt)
        raise StackError(f"PostgreSQL did not start: see {self.data / 'log'}.")

    def stop(self) -> None:
        """Stop without waiting for clients to leave. Does nothing when it isn't running."""
        for mode in ("fast", "immediate"):
            if not self.is_running():
                return
            self._control("stop", "-m", mode, "-w", "-t", "20")
        if self.is_running():
            raise StackError(f"PostgreSQL does not stop: see {self.data / 'log'}.")

    def is_running(self) -> bool:
        self._forget_a_stranger()
        return self.data.exists() and self._control("status") == 0

    def remove(self) -> None:
        """Stop and delete the data."""
        self.stop()
        remove_postgres_directory(self.directory)

    def url(self, database: str) -> str:
        port = (self.data / "postmaster.pid").read_text().splitlines()[3]
        return f"postgres://{USER}:{self._password()}@{LOOPBACK}:{port}/{database}"

    def _home(self, data_name: str) -> tuple[Path, Account]:
        """Where data and programs lie, and who owns them."""
        account = account_for(self.directory / data_name)
        if account.can_enter(self.directory):
            return self.directory, account
        elsewhere = remembered_elsewhere(self.directory)
        if elsewhere is None:
            elsewhere = Path(tempfile.mkdtemp(prefix="billing-portal-", dir="/var/tmp"))
            elsewhere.chmod(0o711)
            write_private(self.directory / "elsewhere", str(elsewhere))
        return elsewhere, account_for(elsewhere / data_name)

    def _initialize(self) -> None:
        unfinished = self.data.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self.account.give(unfinished)
        if self._make_data(unfinished):
            raise StackError(
                f"PostgreSQL could not make its data in {unfinished}: is there room on the disk?"
            )
        unfinished.rename(self.data)

    def _make_data(self, unfinished: Path) -> int:
        """Into an empty folder. Returns the exit code."""
        password_file = self.data.with_suffix(".password")
        write_private(password_file, self._password())
        self.account.give(password_file)
        failure = self.account.run(
            self.binaries / "initdb",
            *("-D", unfinished, "-U", USER, "-A", "scram-sha-256", f"--pwfile={password_file}"),
            *("--encoding=UTF8", *self._locale(), "--no-sync", "--no-instructions"),
        )
        password_file.unlink()
        return failure

    def _locale(self) -> tuple[str, ...]:
        """Unicode rules without a language's; since 17 they are PostgreSQL's own, alike on every platform."""
        if self.major >= 17:
            return ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        return ("--locale=C.UTF-8",)

    def _starts(self) -> bool:
        settings = [
            f"listen_addresses={LOOPBACK}",
            f"port={remembered_port(self.directory / 'port')}",
            "unix_socket_directories=",
            f"max_connections={MAX_CONNECTIONS}",
            *(() if self.durable else FORGETFUL),
        ]
        options = " ".join(f"-c {setting}" for setting in settings)
        return self._control("start", "-w", "-l", self.data / "log", "-o", options) == 0

    def _control(self, *arguments: str | Path) -> int:
        return self.account.run(self.binaries / "pg_ctl", "-D", self.data, *arguments)

    def _forget_a_stranger(self) -> None:
        """Remove the record of a server killed hard whose process number is a stranger's or a dead one's."""
        record = self.data / "postmaster.pid"
        try:
            number = int(record.read_text().splitlines()[0])
            program = program_of(number)
        except (FileNotFoundError, IndexError):
            return
        if program and "postgres" not in program:
            record.unlink()

    def _password(self) -> str:
        return remembered_secret(self.directory / "password")


def remembered_elsewhere(directory: Path) -> Path | None:
    """The folder outside the checkout that holds the data, as long as it is still there."""
    memory = directory / "elsewhere"
    if memory.exists() and Path(memory.read_text()).is_dir():
        return Path(memory.read_text())
    return None


def remove_postgres_directory(directory: Path) -> None:
    elsewhere = remembered_elsewhere(directory)
    if elsewhere:
        shutil.rmtree(elsewhere)
    shutil.rmtree(directory, ignore_errors=True)


def program_of(process: int) -> str:
    """The name of a running program, empty when there is none, `dead` for one that died but is still listed.

    In a container whose first process collects no dead, a killed server stays listed for good.
    """
    if Path("/proc/self").exists():
        try:
            name, _, state = (
                (Path("/proc") / str(process) / "stat").read_text().partition("(")[2].rpartition(") ")
            )
        except FileNotFoundError:
            return ""
        return "dead" if state.startswith("Z") else name
    answer = subprocess.run(
        ["ps", "-p", str(process), "-o", "comm="], capture_output=True, check=False, text=True
    )
    return answer.stdout
