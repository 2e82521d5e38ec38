"""Every body and every query is UTF-8, whatever a request says."""

import re

BOUNDARY = re.compile(r"""; \s* boundary \s*=\s* (?: "[^"]*" | [^\s;]* )""", re.VERBOSE | re.IGNORECASE)


def forget_charset(*, environ: dict[str, str], **_signal: object) -> None:
    """Leave of the Content-Type only what the portal reads: the media type, and the boundary of its parts.

    Runs before Django makes a request of ``environ``: by then a charset that Python has but that is none for
    text (``hex``), or a parameter coded in an unknown one (RFC 8187), has raised, outside any middleware.
    """
    stated = environ.get("CONTENT_TYPE")
    if stated and ";" in stated:
        boundary = BOUNDARY.search(stated)
        environ["CONTENT_TYPE"] = stated.partition(";")[0] + (boundary[0] if boundary else "")
