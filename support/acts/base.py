"""The one shape of what staff do for a customer: a dialog that asks why, then one verb of another app."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orgs.models import Organization
from orgs.policy import Permission
from orgs.rows import uuid_in
from support.access import AdminRequest
from support.links import organization_url
from support.models import ticket_number
from support.principals import Staff, StaffInOrganization

Thing = TypeVar("Thing")
Row = TypeVar("Row", bound=Model)
Text = str | Promise


@dataclass(frozen=True)
class Target(Generic[Thing]):
    """What an act is about. ``organization``: None where it belongs to none."""

    thing: Thing
    organization: Organization | None


def found(rows: QuerySet[Row], key: str) -> Row:
    """The row of an id from an address. Raises Http404."""
    return get_object_or_404(rows, pk=uuid_in(key))


class ActForm(forms.Form):
    """``shown``: what of the thing the page showed, for the verb to compare."""

    shown = forms.CharField(widget=forms.HiddenInput, required=False)
    ticket = forms.CharField(label=_("Ticket number"), max_length=40, validators=[ticket_number])
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The customer’s admins read it in their audit log."),
    )


class StaffAct(ABC, Generic[Thing]):
    """One thing that staff do. A subclass says what it asks, and which verb does it; ``support.acts.ACTS``
    lists an instance of each.
    """

    # In its address, and for links to it: "resend-invitation".
    name: ClassVar[str]
    # Of the page; the verb asks for what hangs on the thing.
    permission: ClassVar[Permission]
    submit: ClassVar[Text]
    form_class: ClassVar[type[ActForm]] = ActForm
    # "primary" where nothing is lost.
    tone: ClassVar[str] = "danger"

    @property
    def url_name(self) -> str:
        return f"act_{self.name.replace('-', '_')}"

    def url(self, key: object) -> str:
        return reverse(f"admin:{self.url_name}", args=[key])

    @abstractmethod
    def find(self, key: str) -> Target[Thing]:
        """What the address names. Raises Http404."""

    @abstractmethod
    def question(self, target: Target[Thing]) -> Text:
        """The dialog's heading: "Send the invitation of ada@example.com again?"."""

    def obstacles(self, target: Target[Thing]) -> Sequence[Text]:  # noqa: ARG002 - of subclasses
        """Why it can't be done as it is, a paragraph each: then nothing is asked. The verb refuses it too."""
        return []

    def consequences(self, target: Target[Thing]) -> Sequence[Text]:  # noqa: ARG002 - of subclasses
        """What follows, a paragraph each."""
        return []

    def shown(self, target: Target[Thing]) -> str:  # noqa: ARG002 - of subclasses
        """What the verb compares with what it finds."""
        return ""

    def initial(self, target: Target[Thing]) -> dict[str, Any]:  # noqa: ARG002 - of subclasses
        """Of the fields that the act adds to the form."""
        return {}

    @abstractmethod
    def run(self, staff: Staff, target: Target[Thing], data: Mapping[str, Any]) -> Text:
        """Do it; ``data``: of the form. Returns the sentence that says what was done. Raises Refused."""

    def back(self, target: Target[Thing]) -> str:
        """The page that is shown afterwards: the organization's, if it is of one."""
        return organization_url(target.organization.pk) if target.organization else reverse("admin:index")

    def answer(self, request: AdminRequest, target: Target[Thing]) -> HttpResponse:  # noqa: ARG002 - of subclasses
        """What follows once it is done."""
        return HttpResponseRedirect(self.back(target))

    @staticmethod
    def principal(staff: Staff, target: Target[Any], data: Mapping[str, Any]) -> StaffInOrganization:
        """Who acts, in the organization of the target, which must have one."""
        if target.organization is None:
            raise ValueError("The target belongs to no organization.")
        return staff.within(target.organization, ticket=data["ticket"], reason=data["reason"])
