"""What a name that people read may be made of."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# "Click evil.example to win" as an organization's name would ride in our own mails.
ADDRESS_LIKE = re.compile(r"://|\bwww\.|\b[a-z0-9-]+\.[a-z]{2,}/", re.IGNORECASE)


def validate_display_name(value: str) -> None:
    """One line of visible characters that isn't a web address (mail headers, phishing by name)."""
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in value):
        raise ValidationError(_("Use letters, digits and punctuation on one line."), code="invisible")
    if ADDRESS_LIKE.search(value) or "<" in value or ">" in value:
        raise ValidationError(_("Use a name without web addresses or angle brackets."), code="address")
