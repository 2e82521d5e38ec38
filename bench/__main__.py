"""python -m bench [--samples N] [--json PATH]: statements, times and sizes of the pages.

Runs in one process through the whole WSGI application, as in production (no DEBUG, cached templates,
collected static files), on a database of its own. Times are told, never judged: they are the machine's. Where
others work on the machine too, compare ratios of one run, and the milliseconds of the processor (cpu): those
are the portal's own, without Postgres and waiting.

Statements are those that Django sends, transaction control apart. Beyond them, Django asks once per request
whether its connection still lives.
"""

import argparse
import json
import logging
import os
from pathlib import Path

import django
from django.conf import settings

settings.ROOT_URLCONF = "bench.urls"
django.setup()

# Models can be imported only now.
from django.core.wsgi import get_wsgi_application  # noqa: E402

from bench.data import load  # noqa: E402
from bench.database import own_database, own_static_files  # noqa: E402
from bench.measuring import measure  # noqa: E402
from bench.report import rows, table  # noqa: E402
from bench.requests import floor_of, measured_of  # noqa: E402
from bench.simulator import own_stripe  # noqa: E402
from billing_portal.celery import app as celery  # noqa: E402


def main() -> None:
    arguments = parsed_arguments()
    log_to(settings.RUN_DIR / "bench.log")
    # A queue that no worker listens to.
    celery.conf.task_default_queue = f"bench-{os.getpid()}"
    with own_database(), own_static_files(), own_stripe() as customer:
        print("Loading data", flush=True)
        data = load(customer)
        print(f"Measuring, {arguments.samples} samples each", flush=True)
        try:
            figures = measure(
                get_wsgi_application(),
                floor_of(data.organization, data.admin),
                measured_of(data),
                samples=arguments.samples,
            )
        finally:
            celery.control.purge()
    found = rows(figures)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\n{table(found)}\n\nAlso in {arguments.json}")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the pages.")
    parser.add_argument("--samples", type=at_least_two, default=200, help="of each request (default: 200)")
    parser.add_argument("--json", type=Path, default=settings.RUN_DIR / "bench.json", help="where to write")
    return parser.parse_args()


def log_to(path: Path) -> None:
    """The portal's logs, two lines a request, are written as ever, but not between our lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w")
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(file)


def at_least_two(text: str) -> int:
    """Percentiles need two."""
    if int(text) < 2:
        raise argparse.ArgumentTypeError("at least 2")
    return int(text)


if __name__ == "__main__":
    main()
