"""The buttons of a page that pay: what each says, and what it sends."""

import html
import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from orgs.models import Organization
from tests.billing.pages import billing_url

FORM = re.compile(r'<form method="post" action="([^"]*/pay/)">(.*?)</form>', re.DOTALL)
FIELD = re.compile(r'<input type="hidden"\s+name="(amount|currency|method|invoice)"\s+value="([^"]*)"')


@dataclass(frozen=True)
class PayButton:
    label: str
    is_primary: bool
    url: str
    sends: dict[str, list[str]]

    def press(self, client: Client, **changed: str) -> Any:
        """The answer itself; ``changed``: fields sent by hand."""
        return client.post(self.url, {**self.sends, **changed})


def pay_buttons(client: Client, organization: Organization, path: str = "") -> list[PayButton]:
    """Of *Billing & usage*, or of a page below it."""
    return [_button(*found) for found in FORM.findall(_body(client, organization, path))]


def _body(client: Client, organization: Organization, path: str) -> str:
    answer = client.get(billing_url(organization, path))
    assert answer.status_code == 200
    return answer.content.decode()


def _button(url: str, form: str) -> PayButton:
    sends: dict[str, list[str]] = {}
    for name, value in FIELD.findall(form):
        sends.setdefault(name, []).append(value)
    ((kind, label),) = re.findall(r'<button class="([^"]*)"[^>]*>(.*?)</button>', form, re.DOTALL)
    return PayButton(html.unescape(" ".join(label.split())), "primary" in kind.split(), url, sends)
