"""`python -m stripe_simulator`: run the simulator until SIGTERM or SIGINT."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from stripe_simulator.server import start


def main() -> int:
    environment = os.environ.get
    parser = argparse.ArgumentParser(
        prog="python -m stripe_simulator", description="A Stripe simulator for development and tests."
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that keeps the state")
    parser.add_argument(
        "--port",
        type=int,
        default=int(environment("STRIPE_SIMULATOR_PORT") or 0),
        help="on 127.0.0.1, 0 for a free one (STRIPE_SIMULATOR_PORT, else 0)",
    )
    parser.add_argument(
        "--api-key",
        default=environment("STRIPE_SECRET_KEY"),
        help="the secret key of its clients, sk_test_… (STRIPE_SECRET_KEY)",
    )
    parser.add_argument(
        "--webhook-url",
        default=environment("STRIPE_WEBHOOK_URL"),
        help="where events go (STRIPE_WEBHOOK_URL, else where they last went)",
    )
    parser.add_argument(
        "--webhook-secret",
        default=environment("STRIPE_WEBHOOK_SECRET"),
        help="what signs them, whsec_… (STRIPE_WEBHOOK_SECRET)",
    )
    options = parser.parse_args()
    if not (options.api_key or "").startswith("sk_test_"):
        parser.error("--api-key must be given and start with sk_test_")
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    try:
        running = start(
            options.data,
            api_key=options.api_key,
            port=options.port,
            webhook_url=options.webhook_url,
            webhook_secret=options.webhook_secret,
        )
    except OSError as error:
        print(f"The Stripe simulator cannot start on port {options.port}: {error}.", file=sys.stderr)
        return 1
    print(f"Stripe simulator ready on {running.url}", flush=True)
    stopping.wait()
    running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
