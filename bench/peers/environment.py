"""The environment of a product that we are measured beside, apart from our own."""

import subprocess
import sys
from pathlib import Path

from django.conf import settings


def environment_of(name: str) -> Path:
    """The Python of a peer's environment below the run's folder; made by the first run."""
    folder = settings.RUN_DIR / "peers" / name
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        print("Making the peer's environment", flush=True)
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", folder], check=True)
        wanted = Path(__file__).with_name(name) / "requirements.txt"
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "-r", wanted], check=True)
        complete.touch()
    return python
