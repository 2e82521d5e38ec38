"""Every check that needs no test: style, types, imports, templates, settings, migrations, the lock."""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

from devstack.messages import StackError, say
from devstack.paths import ROOT
from devstack.services import SharedServices

PROGRAMS = Path(sys.executable).parent
PUBLIC_HOSTS = {"pypi.org", "files.pythonhosted.org"}
CHECKS = {
    "Style": ["ruff", "check", "."],
    "Format": ["ruff", "format", "--check", "."],
    "Types": ["mypy"],
    "Imports": ["lint-imports"],
    "Templates": ["djlint", "--quiet", "--lint", "templates"],
    "Template format": ["djlint", "--check", "templates"],
    "Deployment settings": ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "Migrations": ["python", "manage.py", "makemigrations", "--check", "--dry-run"],
    "Lock": ["uv", "lock", "--check"],
}


def lint() -> int:
    """Run every check and name those that found something. Returns the exit code."""
    services = SharedServices()
    with services.in_use():
        variables = production_like(services.environment_for("lint"))
        failed = [title for title, command in CHECKS.items() if not passes(title, command, variables)]
    hosts = foreign_hosts((ROOT / "uv.lock").read_text())
    if hosts:
        print(f"uv.lock names {', '.join(sorted(hosts))}: lock again without an index of your own.")
        failed.append("Lock's hosts")
    if failed:
        raise StackError(f"Not in order: {', '.join(failed)}.")
    return 0


def format_code() -> int:
    """Mend what can be mended. Returns the exit code of what can't."""
    subprocess.run([PROGRAMS / "ruff", "format", "."], check=True, cwd=ROOT)
    subprocess.run([PROGRAMS / "djlint", "--quiet", "--reformat", "templates"], check=False, cwd=ROOT)
    return subprocess.run([PROGRAMS / "ruff", "check", "--fix", "."], check=False, cwd=ROOT).returncode


def passes(title: str, command: list[str], variables: dict[str, str]) -> bool:
    """Run one check, and print what it says only when it fails."""
    say(title)
    program, *arguments = command
    result = subprocess.run(
        [PROGRAMS / program, *arguments],
        check=False,
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode:
        print(result.stdout)
    return result.returncode == 0


def production_like(variables: dict[str, str]) -> dict[str, str]:
    """What a deployment would set; and uv without the caller's mirror, which it would write into the lock."""
    ours = re.compile(r"UV_.*INDEX|MAIL_DIR|DEVELOPMENT")
    kept = {name: value for name, value in variables.items() if not ours.match(name)}
    return {
        **kept,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SITE_URL": "https://portal.example.com",
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def foreign_hosts(lock: str) -> set[str]:
    return set(re.findall(r"[a-z+]+://(?:[^/\s\"]*@)?([^/\s\":]+)", lock)) - PUBLIC_HOSTS
