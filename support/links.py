"""Where the admin shows a thing. Pages lead to many: each address is looked up once."""

import uuid
from functools import cache

from django.contrib.admin.utils import quote
from django.urls import reverse

NOBODY = str(uuid.UUID(int=0))


def organization_url(pk: uuid.UUID | str) -> str:
    return _pattern("support_organization").replace(NOBODY, str(pk))


def person_url(pk: uuid.UUID | str) -> str:
    return _pattern("support_person").replace(NOBODY, str(pk))


def record_url(model: str, pk: object) -> str:
    """Django's own page of a row: ``record_url("billing_invoice", pk)``."""
    return _pattern(f"{model}_change").replace(NOBODY, quote(str(pk)))


@cache
def page_url(name: str) -> str:
    """Of a page of the admin that is about no one thing: ``page_url("billing_invoice_changelist")``."""
    return reverse(f"admin:{name}")


@cache
def _pattern(name: str) -> str:
    return reverse(f"admin:{name}", args=[NOBODY])
