"""The environment that the development stack gives every process it starts."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from devstack.errors import StackError
from devstack.memory import LOOPBACK, remembered_secret

SIMULATOR_KEY = "sk_test_simulator"
# Never answers: tests start a simulator of their own, and none may reach the real Stripe by mistake.
NO_STRIPE = f"http://{LOOPBACK}:1"
# What people's shells hold for other programs and would lead ours astray.
FOREIGN = re.compile(r"PG[A-Z]+|DJANGO_SETTINGS_MODULE")


def environment(
    *, directory: Path, mail: Path, site_url: str, database_url: str, redis_url: str, stripe_api_base: str
) -> dict[str, str]:
    """Ours on top of the caller's, whose own services and secrets win."""
    inherited = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    own = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": remembered_secret(directory / "secret_key"),
        "INVITATION_SIGNING_KEYS": remembered_secret(directory / "invitation_signing_key"),
        "STRIPE_WEBHOOK_SECRET": "whsec_" + remembered_secret(directory / "stripe_webhook_secret"),
        "SITE_URL": site_url,
        "MAIL_DIR": str(mail),
        **stripe(stripe_api_base),
    }
    return {
        **inherited,
        **{name: os.environ.get(name) or value for name, value in own.items()},
        "DJANGO_SETTINGS_MODULE": "billing_portal.settings",
        "NO_PROXY": without_proxy(os.environ),
        "no_proxy": without_proxy(os.environ),
    }


def stripe(api_base: str) -> dict[str, str]:
    """The simulator, unless the caller has a key of Stripe's test mode."""
    key = os.environ.get("STRIPE_SECRET_KEY", "")
    if not key or key == SIMULATOR_KEY:
        return {"STRIPE_SECRET_KEY": SIMULATOR_KEY, "STRIPE_API_BASE": api_base}
    if "_live_" in key:
        raise StackError("STRIPE_SECRET_KEY is a live key: give one of Stripe's test mode, or none.")
    return {"STRIPE_SECRET_KEY": key}


def without_proxy(variables: Mapping[str, str]) -> str:
    """The caller's exceptions from the proxy and the loopback addresses, where our services are."""
    given = variables.get("NO_PROXY") or variables.get("no_proxy")
    return ",".join(filter(None, [given, LOOPBACK, "localhost"]))
