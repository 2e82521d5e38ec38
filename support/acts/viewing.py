"""Seeing the portal as one of its people sees it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import display_name
from orgs.errors import Refused
from orgs.models import Membership
from orgs.policy import Permission
from orgs.start import start_url
from support.access import AdminRequest
from support.acts.base import ActForm, StaffAct, Target, Text, found
from support.principals import Staff
from support.viewing import begin_viewing, note_viewing


class ViewAsForm(ActForm):
    """``user_pk``: the person whom the page showed, under the name that hijack knows."""

    user_pk = forms.UUIDField(widget=forms.HiddenInput)


class ViewAs(StaffAct[Membership]):
    """Of a membership: what its person sees there, and nothing of what else they belong to."""

    name = "view-as"
    permission = Permission.PEOPLE_VIEW_AS
    submit = gettext_lazy("View as this person")
    form_class = ViewAsForm
    tone = "primary"

    def find(self, key: str) -> Target[Membership]:
        membership = found(Membership.objects.current().select_related("user", "organization"), key)
        return Target(membership, membership.organization)

    def question(self, target: Target[Membership]) -> Text:
        return _("View the portal as %(person)s?") % {"person": display_name(target.thing.user)}

    def consequences(self, target: Target[Membership]) -> Sequence[Text]:
        names = {"organization": target.thing.organization.name}
        return [
            _("You see %(organization)s as they see it, and nothing else. You can change nothing.") % names,
            _("The audit log of %(organization)s tells that support saw it. It ends with your staff session.")
            % names,
        ]

    def initial(self, target: Target[Membership]) -> dict[str, Any]:
        return {"user_pk": target.thing.user_id}

    def run(self, staff: Staff, target: Target[Membership], data: Mapping[str, Any]) -> Text:
        try:
            note_viewing(self.principal(staff, target, data), target.thing, shown_person=str(data["user_pk"]))
        except Membership.DoesNotExist:
            raise Refused(_("This person has left the organization.")) from None
        return _("Each page that you open is written down.")

    def answer(self, request: AdminRequest, target: Target[Membership]) -> HttpResponse:
        slug = target.thing.organization.slug
        first_page = start_url(slug, target.thing.role)
        return begin_viewing(request, slug=slug, back=self.back(target), first_page=first_page)
