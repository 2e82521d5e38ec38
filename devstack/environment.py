"""The environment that the development stack gives every process it starts."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from devstack.memory import LOOPBACK, remembered_secret
from devstack.messages import StackError

SETTINGS = "billing_portal.settings"
SIMULATOR_KEY = "sk_test_simulator"
# Never answers: tests start a simulator of their own, and none may reach the real Stripe by mistake.
NO_STRIPE = f"http://{LOOPBACK}:1"
# What the stack decides, or takes from the caller.
OWN = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "INVITATION_SIGNING_KEYS",
    "STRIPE_SECRET_KEY",
    "STRIPE_API_BASE",
    "STRIPE_WEBHOOK_SECRET",
    "SITE_URL",
    "MAIL_DIR",
    "DJANGO_SETTINGS_MODULE",
    "DEVELOPMENT",
)
# What a shell holds for other programs and would lead ours astray. Without a place to keep what was compiled,
# each of our many processes compiles everything again: a worker of the tests takes twice as long to begin.
FOREIGN = re.compile(r"PG[A-Z]+|DEBUG|DATABASE_REPLICA_URL|STRIPE_API_BASE|PYTHONDONTWRITEBYTECODE")


def environment(
    *, directory: Path, mail: Path, site_url: str, database_url: str, redis_url: str, stripe_api_base: str
) -> dict[str, str]:
    """Ours on top of the caller's. Secrets are made once and kept in `directory`; the caller's win."""
    secrets = {
        "SECRET_KEY": directory / "secret_key",
        "INVITATION_SIGNING_KEYS": directory / "invitation_signing_key",
        "STRIPE_WEBHOOK_SECRET": directory / "stripe_webhook_secret",
    }
    return {
        **{name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)},
        **{name: os.environ.get(name) or remembered_secret(memory) for name, memory in secrets.items()},
        **stripe(stripe_api_base),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SITE_URL": site_url,
        "MAIL_DIR": str(mail),
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "NO_PROXY": without_proxy(os.environ),
        "no_proxy": without_proxy(os.environ),
        "PYTHONUNBUFFERED": "1",
    }


def uses_simulator() -> bool:
    """Whether the caller gave no key of their own."""
    return os.environ.get("STRIPE_SECRET_KEY", "") in ("", SIMULATOR_KEY)


def stripe(api_base: str) -> dict[str, str]:
    """The simulator at `api_base`, unless the caller has a key of Stripe's test mode."""
    if uses_simulator():
        return {"STRIPE_SECRET_KEY": SIMULATOR_KEY, "STRIPE_API_BASE": api_base}
    key = os.environ["STRIPE_SECRET_KEY"]
    if "_live_" in key:
        raise StackError("STRIPE_SECRET_KEY is a live key: give one of Stripe's test mode, or none.")
    return {"STRIPE_SECRET_KEY": key}


def without_proxy(variables: Mapping[str, str]) -> str:
    """The caller's exceptions from the proxy and the loopback addresses, where our services are."""
    given = variables.get("NO_PROXY") or variables.get("no_proxy")
    return ",".join(filter(None, [given, LOOPBACK, "localhost"]))
