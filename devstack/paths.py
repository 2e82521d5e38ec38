"""Where the development stack keeps things."""

import os
from pathlib import Path

from devstack.messages import StackError

ROOT = Path(__file__).resolve().parent.parent


def run_directory() -> Path:
    """`.run/`, or `RUN_DIR` where that is set; made when missing.

    Raises `StackError` when it can't be written.
    """
    return writable_directory(Path(os.environ.get("RUN_DIR") or ROOT / ".run").absolute())


def writable_directory(directory: Path) -> Path:
    """Make `directory` when it's missing. Raises `StackError` when it can't be made or written."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StackError(
            f"Cannot write to {directory} ({error.strerror}): "
            "use a checkout in a folder of your own, or set RUN_DIR to a folder that you can write to."
        ) from error
    return directory
