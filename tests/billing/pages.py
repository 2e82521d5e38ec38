"""What tests read of pages."""

import re
from html import unescape
from typing import Any

from orgs.models import Organization


def billing_url(organization: Organization, rest: str = "") -> str:
    return f"/orgs/{organization.slug}/settings/billing/{rest}"


def text_of(response: Any) -> str:
    """What a person reads: without tags, white space as one blank."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))
