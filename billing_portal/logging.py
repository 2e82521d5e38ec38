"""Structured logs on standard output; the tokens of links never reach them."""

import logging
import re
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from tokens.secret import without_secrets

TOKEN_PATH = re.compile(r"(/invitations/|/pay/|/confirm-email/|/password/reset/key/)[^/\s\"?]+")


def drop_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Cut what opens an invitation, a payment link, an account or the API out of every logged string."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = TOKEN_PATH.sub(r"\1[cut]", without_secrets(value))
    return event


OUR_APPS = (
    "accounts",
    "api",
    "audit",
    "billing",
    "credits",
    "hooks",
    "invitations",
    "orgs",
    "outbox",
    "programs",
    "support",
    "teams",
    "tokens",
    "usage",
)
SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.UnicodeDecoder(),
]


def log_config(*, requests: bool) -> dict[str, Any]:
    """The standard library's logging, as JSON. ``requests``: a line for each request, its access log.

    A web server's own access log must stay off: it would write the links that open invitations.
    """
    quiet = logging.INFO if requests else logging.WARNING
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*SHARED_PROCESSORS, structlog.stdlib.PositionalArgumentsFormatter()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    drop_secrets,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            **{name: {"level": "INFO"} for name in OUR_APPS},
            "django_structlog": {"level": quiet},
            # runserver's, which brings a handler of its own.
            "django.server": {"handlers": [], "propagate": True, "level": "INFO"},
        },
    }


def configure_structlog() -> None:
    """Send structlog's events through the standard library's handlers."""
    structlog.configure(
        processors=[*SHARED_PROCESSORS, drop_secrets, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
