"""A second language for a test, which says itself what is translated."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.conf import settings
from django.test import override_settings

Message = str | tuple[str, str]


@contextmanager
def use_catalogue(translations: Mapping[Message, Message], *, language: str = "de") -> Iterator[None]:
    """Let the portal have a second language: ``with use_catalogue({"Admin": "Verwalter"}), override("de"):``.

    A message with a plural is a pair, singular and plural, and so is its translation.
    """
    catalogue = Catalog(locale=language)
    for message, translation in translations.items():
        catalogue.add(message, translation)
    with TemporaryDirectory() as folder:
        messages = Path(folder, language, "LC_MESSAGES")
        messages.mkdir(parents=True)
        with (messages / "django.mo").open("wb") as file:
            write_mo(file, catalogue)
        with override_settings(LOCALE_PATHS=[folder], LANGUAGES=[*settings.LANGUAGES, (language, language)]):
            yield
