"""The language of a mail: its recipient's, at the time of delivery."""

from collections.abc import Callable

from django.conf import settings

# The outbox knows no people: the accounts app, which lies above, says who reads what.
LanguageOf = Callable[[str], str]
_sources: list[LanguageOf] = []


def ask_for_language(language_of: LanguageOf) -> None:
    """``language_of``: from an address to the code of its person's language; blank for the site's."""
    _sources.append(language_of)


def language_for(address: str) -> str:
    """The code of a language of the site. For an address that no person has, the site's own."""
    known = (language_of(address) for language_of in _sources)
    return next(
        (language for language in known if language in dict(settings.LANGUAGES)), settings.LANGUAGE_CODE
    )
