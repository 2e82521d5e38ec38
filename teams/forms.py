"""What people type about teams."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import display_name
from orgs.models import Membership
from teams.models import LONGEST_DESCRIPTION, LONGEST_NAME, Details, Team
from teams.services import Shown

DAMAGED = dict.fromkeys(
    ["required", "invalid"], _("This form is damaged. Reload the page and fill it in again.")
)


class TeamForm(forms.ModelForm[Team]):
    class Meta:
        model = Team
        fields = ["name", "description"]

    @property
    def details(self) -> Details:
        """Once the form is valid."""
        return Details(self.cleaned_data["name"], self.cleaned_data["description"])


class NewTeamForm(TeamForm):
    """``key``: drawn with the page, so that the form sent again makes no second team."""

    key = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput, error_messages=DAMAGED)


class TeamChangeForm(TeamForm):
    """``shown_name``, ``shown_description``: as the page had them."""

    shown_name = forms.CharField(
        widget=forms.HiddenInput, max_length=LONGEST_NAME, strip=False, error_messages=DAMAGED
    )
    shown_description = forms.CharField(
        required=False,
        widget=forms.HiddenInput,
        max_length=LONGEST_DESCRIPTION,
        strip=False,
        error_messages=DAMAGED,
    )

    @classmethod
    def of(cls, team: Team) -> "TeamChangeForm":
        """As the team is."""
        return cls(
            initial={
                "name": team.name,
                "description": team.description,
                "shown_name": team.name,
                "shown_description": team.description,
            }
        )

    @property
    def shown(self) -> Details:
        return Details(self.cleaned_data["shown_name"], self.cleaned_data["shown_description"])


class DeletionForm(forms.Form):
    """``shown_name``, ``shown_people``: as the question had them."""

    shown_name = forms.CharField(max_length=LONGEST_NAME, strip=False)
    shown_people = forms.IntegerField()

    @property
    def shown(self) -> Shown:
        """What no question had said is nothing that a team is."""
        if not self.is_valid():
            return Shown("", -1)
        return Shown(self.cleaned_data["shown_name"], self.cleaned_data["shown_people"])


class PeopleForm(forms.Form):
    """Who joins a team."""

    people = forms.ModelMultipleChoiceField(
        label=_("People"),
        queryset=Membership.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one person."),
            **dict.fromkeys(
                ["invalid_list", "invalid_choice"],
                _("Somebody whom you chose is no longer a member. Nobody was added. Choose again."),
            ),
        },
    )

    def __init__(self, *args: Any, members: Any, shown: Iterable[Membership], **kwargs: Any) -> None:
        """``members``: all who can be in the team. ``shown``: those who can be chosen on the page."""
        super().__init__(*args, **kwargs)
        people = self.fields["people"]
        people.queryset = members  # type: ignore[attr-defined]
        people.choices = [(one.pk, _label(one)) for one in shown]  # type: ignore[attr-defined]


def _label(person: Membership) -> str:
    name, email = display_name(person.user), person.user.email
    return name if name == email else f"{name} ({email})"
