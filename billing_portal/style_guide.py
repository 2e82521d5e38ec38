"""The living style guide at /dev/style/: every part that pages are built from, with made-up content."""

from datetime import timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import Audience, open_to


class ExampleForm(forms.Form):
    """One field of each kind. Filled in wrongly, so that errors show."""

    email = forms.EmailField(label="Email", help_text="We send the invitation here.")
    company = forms.CharField(label="Company name", required=False)
    country = forms.ChoiceField(label="Country", choices=[("de", "Germany"), ("us", "United States")])
    role = forms.ChoiceField(
        label="Role", widget=forms.RadioSelect, choices=[("admin", "Admin"), ("member", "Member")]
    )
    delegate = forms.BooleanField(
        label="Billing managers may manage billing managers",
        required=False,
        help_text="They can invite and remove others.",
    )
    days = forms.IntegerField(label="Invitations expire after (days)", required=False)
    notes = forms.CharField(label="Notes", required=False, widget=forms.Textarea(attrs={"rows": 3}))


def _link(label: str, icon: str, *, current: bool = False) -> dict[str, object]:
    return {"label": label, "url": "#main", "icon": icon, "current": current}


@open_to(Audience.ANYONE, "GET")
def style_guide(request: HttpRequest) -> HttpResponse:
    """Routed in development only. With ?confirm, the page that asks before a destructive act."""
    if "confirm" in request.GET:
        return render(request, "dev/confirm.html", {"cancel_url": request.path})
    return render(
        request,
        "dev/style.html",
        {
            "organization": {"name": "Acme Robotics"},
            "navigation": {
                "product": [_link("Dashboard", "dashboard"), _link("Stacks", "stacks")],
                "settings": [
                    _link("Billing & usage", "billing", current=True),
                    _link("Members", "members"),
                    _link("Roles", "roles"),
                    _link("Audit log", "audit"),
                ],
            },
            "now": timezone.now() - timedelta(days=2),
            "form": ExampleForm({"email": "lee@", "company": "Acme Robotics GmbH", "country": "de"}),
        },
    )
