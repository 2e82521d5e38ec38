"""The demo: servers, the Stripe simulator, demo data, then web, workers and beat until Ctrl-C."""

import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException
from types import FrameType
from typing import IO

from devstack.application import application_commands, start_in_view
from devstack.environment import SIMULATOR_KEY, environment, uses_simulator
from devstack.memory import LOOPBACK, port_answers, remembered_port, write_private
from devstack.messages import StackError, say
from devstack.paths import run_directory, writable_directory
from devstack.process import INTERRUPTIONS, RecordedProcess, run_in_front
from devstack.servers import Servers, check_database, check_redis
from devstack.site_port import check_port, requested_port
from devstack.supervision import GivenServer, Part, supervise

DATABASE = "billing_portal"
SIMULATOR_START_SECONDS = 20
# The worker warns of root, which may be all there is in a container.
ROOT_IS_FINE = "ignore:You're running the worker with superuser privileges"


class Demo:
    """The demo of this checkout. Its data lies in the run directory, from one start to the next."""

    def __init__(self) -> None:
        self.directory = run_directory()
        self.port = requested_port()
        self.site_url = f"http://{LOOPBACK}:{self.port}"
        self.processes = writable_directory(self.directory / "processes")
        self.step = self._process("step")
        self.simulator = self._process("stripe")
        self.announced = False

    def run(self) -> None:
        """Run until Ctrl-C. Raises `StackError` when a part can't be kept running."""
        with self._alone():
            for signal_number in INTERRUPTIONS:
                signal.signal(signal_number, interrupt)
            self._end_leftovers()
            check_port(self.port)
            servers = self._servers()
            try:
                self._run_application(servers, self._prepare(servers))
            except KeyboardInterrupt:
                pass
            finally:
                self._stop(servers)

    def shell(self) -> int:
        """A Django shell on the demo's data, beside the demo or without it. Returns the exit code."""
        command = [sys.executable, "manage.py", "shell"]
        servers = self._servers()
        with self._lock() as lock:
            runs = not try_lock(lock)
        if runs:
            return run_in_front(command, environment=self._environment(servers))
        with self._alone():
            self._end_leftovers()
            try:
                return run_in_front(command, environment=self._prepare(servers))
            finally:
                self._stop(servers)

    def reset(self) -> None:
        """Delete the demo's data."""
        with self._alone():
            self._end_leftovers()
            self._servers().remove()
            for name in ("stripe", "mail", "processes"):
                shutil.rmtree(self.directory / name, ignore_errors=True)
            for pattern in ("*_key", "*_secret", "celerybeat-schedule*"):
                for path in self.directory.glob(pattern):
                    path.unlink()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second demo of this checkout out."""
        owner = self.directory / "demo.owner"
        with self._lock() as lock:
            if not try_lock(lock):
                where = owner.read_text() if owner.exists() else "just starting"
                raise StackError(f"This checkout's demo runs already ({where}): stop it there with Ctrl-C.")
            write_private(owner, f"{self.site_url}/, process {os.getpid()}")
            yield

    def _prepare(self, servers: Servers) -> dict[str, str]:
        """Bring up all that the application needs. Returns its environment."""
        say("Starting PostgreSQL and Valkey")
        servers.start()
        variables = self._environment(servers)
        if uses_simulator():
            say("Starting the Stripe simulator")
            self._start_simulator(variables)
        self._take_step("Migrating the database", ["manage.py", "migrate", "--no-input"], variables)
        self._take_step("Loading the demo data", ["-m", "devstack.demo", "load"], variables)
        return variables

    def _environment(self, servers: Servers) -> dict[str, str]:
        return {
            **environment(
                directory=self.directory,
                mail=self.directory / "mail",
                site_url=self.site_url,
                database_url=servers.database_url(DATABASE),
                redis_url=servers.redis_url(),
                stripe_api_base=f"http://{LOOPBACK}:{remembered_port(self.processes / 'stripe.port')}",
            ),
            "DEVELOPMENT": "1",
            "PYTHONWARNINGS": ROOT_IS_FINE,
            "RUN_DIR": str(self.directory),
        }

    def _start_simulator(self, variables: dict[str, str]) -> None:
        port = int(variables["STRIPE_API_BASE"].rpartition(":")[2])
        process = self.simulator.start(
            [
                *(sys.executable, "-m", "stripe_simulator", "--port", str(port)),
                *("--data", self.directory / "stripe", "--api-key", SIMULATOR_KEY),
                *("--webhook-url", f"{self.site_url}/stripe/webhook/"),
                *("--webhook-secret", variables["STRIPE_WEBHOOK_SECRET"]),
            ],
            environment=variables,
        )
        deadline = time.monotonic() + SIMULATOR_START_SECONDS
        while not port_answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                self.simulator.stop()
                show_log(self.simulator)
                raise StackError("The Stripe simulator did not start, for the reason above.")
            time.sleep(0.05)

    def _take_step(self, title: str, arguments: list[str], variables: dict[str, str]) -> None:
        say(title)
        if self.step.start([sys.executable, *arguments], environment=variables).wait():
            show_log(self.step)
            raise StackError(
                f"{title} failed, for the reason above; `make demo-reset` starts over without the data."
            )

    def _run_application(self, servers: Servers, variables: dict[str, str]) -> None:
        say("Starting web, workers and beat")
        parts = list(self._needed(servers, variables))
        for name, command in application_commands(port=self.port, directory=self.directory).items():
            process = self._process(name)
            start = partial(start_in_view, process, command, variables)
            start()
            parts.append(Part(name, how_ended=process.how_ended, start=start))
        supervise([*(part.look for part in parts), partial(self._announce, variables)])

    def _needed(self, servers: Servers, variables: dict[str, str]) -> Iterator[Part | GivenServer]:
        """What the application can't do without."""
        if servers.postgres:
            runs = servers.postgres.is_running
            yield Part("PostgreSQL", how_ended=gone_unless(runs), start=servers.postgres.start)
        else:
            yield GivenServer("The database in DATABASE_URL", partial(check_database, servers.given_database))
        if servers.valkey:
            runs = servers.valkey.process.is_running
            yield Part("Valkey", how_ended=gone_unless(runs), start=servers.valkey.start)
        else:
            yield GivenServer("The server in REDIS_URL", partial(check_redis, servers.given_redis))
        if uses_simulator():
            start = partial(self._start_simulator, variables)
            yield Part("The Stripe simulator", how_ended=self.simulator.how_ended, start=start)

    def _announce(self, variables: dict[str, str]) -> None:
        """Print where the portal is and who can sign in, the first time that it answers."""
        if self.announced or not answers_http(self.port):
            return
        sign_ins = self._process("sign-ins")
        sign_ins.start([sys.executable, "-m", "devstack.demo", "show"], environment=variables).wait()
        print(
            f"\nThe portal runs at {self.site_url}/\n\n{sign_ins.log_file.read_text()}\n"
            "Ctrl-C stops it; `make demo-reset` deletes its data.\n",
            flush=True,
        )
        self.announced = True

    def _end_leftovers(self) -> None:
        """End what goes on running after a launcher was killed."""
        running = [process for process in self._all_processes() if process.is_running()]
        if running:
            say("Ending what an earlier demo left running")
        for process in running:
            process.stop()

    def _stop(self, servers: Servers) -> None:
        for signal_number in INTERRUPTIONS:
            signal.signal(signal_number, signal.SIG_IGN)
        with ExitStack() as stack:
            stack.callback(servers.stop)
            stack.callback(self._stop_processes)
            say("Stopping")

    def _stop_processes(self) -> None:
        with ThreadPoolExecutor() as together:
            list(together.map(RecordedProcess.stop, self._all_processes()))

    def _all_processes(self) -> list[RecordedProcess]:
        return [RecordedProcess(lock_file) for lock_file in sorted(self.processes.glob("*.lock"))]

    def _process(self, name: str) -> RecordedProcess:
        return RecordedProcess(self.processes / f"{name}.lock")

    def _servers(self) -> Servers:
        return Servers(self.directory, durable=True)

    def _lock(self) -> IO[str]:
        return (self.directory / "demo.lock").open("a")


def try_lock(lock: IO[str]) -> bool:
    """Take the lock unless another process has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def gone_unless(runs: Callable[[], bool]) -> Callable[[], str | None]:
    """How a server ended, for `Part`, from whether it runs."""
    return lambda: None if runs() else "is gone"


def show_log(process: RecordedProcess) -> None:
    print(process.log_file.read_text(errors="replace"), file=sys.stderr)


def interrupt(_signal_number: int, _frame: FrameType | None) -> None:
    """Treat the terminal's end and a polite kill like Ctrl-C."""
    raise KeyboardInterrupt


def answers_http(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True
