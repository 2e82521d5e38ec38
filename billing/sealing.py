"""Offers that a page shows and keeps nowhere: signed, they come back with the press."""

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from django.core import signing
from django.utils.translation import gettext as _

from orgs.errors import PageOutdated
from orgs.models import Membership

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LIFE = timedelta(hours=1)

Offer = TypeVar("Offer", bound="DataclassInstance")


def seal(offer: "DataclassInstance", *, salt: str) -> str:
    """``offer``: of simple values, with the id of the ``membership`` that it was made for."""
    return signing.dumps(asdict(offer), salt=salt, compress=True)


def unseal(kind: type[Offer], sealed: str, *, salt: str, reader: Membership) -> Offer:
    """The offer that this person was shown within the last hour. Raises PageOutdated."""
    try:
        shown = signing.loads(sealed, salt=salt, max_age=LIFE)
        if shown["membership"] == str(reader.pk):
            return kind(**shown)
    except (signing.BadSignature, TypeError, KeyError):
        pass
    raise PageOutdated(_("These amounts are too old to be certain. Nothing was changed. Check the new ones."))
