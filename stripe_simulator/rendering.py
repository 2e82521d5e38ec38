"""Pages from templates: plain forms, no scripts."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stripe_simulator.messages import Response, html_response
from stripe_simulator.money import money

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, *, status: int = 200, **values: Any) -> Response:
    return html_response(ENVIRONMENT.get_template(template).render(values), status)


def message(heading: str, text: str, *, link: str | None = None, status: int = 200) -> Response:
    return page("message.html", status=status, heading=heading, text=text, link=link)


def day(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%B %-d, %Y}"


def _moment(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S}"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
ENVIRONMENT.filters |= {"day": day, "moment": _moment, "money": money}
