"""The first thing that `make` runs: finds a Python that can run the rest. Must parse on Python 3.6."""

import os
import runpy
import shutil
import subprocess
import sys
import sysconfig

OLDEST = (3, 11)
NEWEST_TRIED = 20


def newer_python():
    # type: () -> str | None
    """A Python on the path that is new enough, under its versioned name."""
    for minor in range(NEWEST_TRIED, OLDEST[1] - 1, -1):
        candidate = shutil.which(f"python3.{minor}")
        # What pyenv and the like put on the path may stand for nothing.
        if candidate and subprocess.call([candidate, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return candidate
    return None


def main():
    # type: () -> None
    if os.name == "nt":
        sys.exit("Windows has no wheels of PostgreSQL and Valkey that fit: run this inside WSL 2.")
    if sys.version_info < OLDEST:
        newer = newer_python()
        if newer is None:
            sys.exit(
                f"Python 3.11 or later is needed and {sys.executable} is {sys.version.split()[0]}: "
                "install one, or name it, as in `make demo PYTHON=/path/to/python3`."
            )
        os.execv(newer, [newer, "-m", "devstack.bootstrap", *sys.argv[1:]])
    if "musl" in str(sysconfig.get_config_var("SOABI")):
        sys.exit(
            "PostgreSQL and Valkey have no wheels for musl (Alpine): "
            "use a Linux with glibc or macOS, or `docker compose up`."
        )
    # Not imported above: an older Python could not parse it.
    runpy.run_module("devstack.installer", run_name="__main__")


if __name__ == "__main__":
    main()
