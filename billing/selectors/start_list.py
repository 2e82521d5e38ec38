"""What a billing manager begins with: a short list on *Billing & usage*, gone once all is done or hidden."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from billing.selectors.methods import MethodTrouble
from billing.selectors.overview import BillingPage
from orgs.dates import day
from orgs.models import Membership
from orgs.policy import Permission, Role, may


class Shown(StrEnum):
    """What the list notes of a person: what they have looked at, and that they want to see it no more."""

    NEXT_CHARGE = "start.next_charge"
    INVOICES = "start.invoices"
    HIDDEN = "start.hidden"


@dataclass(frozen=True, kw_only=True)
class StartStep:
    """One thing to do. ``url_name``: the page that its button leads to; ``looks_at``: what pressing it notes.

    ``button``: empty where the page has it elsewhere. ``posts``: it acts, and so is a form. ``trouble``: what
    not doing it leads to.
    """

    title: str
    text: str
    button: str
    url_name: str
    done: bool
    posts: bool = False
    looks_at: str = ""
    trouble: MethodTrouble | None = None


@dataclass(frozen=True)
class StartList:
    """``leads``: its next step is the first thing to do on the page."""

    steps: list[StartStep]
    leads: bool

    @property
    def done(self) -> int:
        return sum(step.done for step in self.steps)

    @property
    def next(self) -> StartStep | None:
        return next((step for step in self.steps if not step.done), None)

    @property
    def asks_for_card(self) -> bool:
        """Whether a card is asked for here, so that nothing else on the page has to."""
        return any(step.url_name == "card" and not step.done for step in self.steps)


def start_list(membership: Membership, page: BillingPage) -> StartList | None:
    """None: not for this person, hidden by them, or all of it done, by them or others."""
    if membership.role != Role.BILLING_MANAGER or Shown.HIDDEN in membership.dismissed:
        return None
    if not may(membership, Permission.BILLING_DETAILS_UPDATE):
        # The organization closes: there is nothing to begin any more.
        return None
    steps = list(_steps(membership, page))
    if all(step.done for step in steps):
        return None
    others_lead = page.owed is not None or any(not trouble.lacks_method for trouble in page.troubles)
    return StartList(steps, leads=not others_lead)


def _steps(membership: Membership, page: BillingPage) -> Iterator[StartStep]:
    yield _card(page)
    yield StartStep(
        title=_("Fill in the billing details"),
        text=_("Invoices show the name, the address and the tax ids that you give."),
        button=_("Open billing details"),
        url_name="billing_details",
        done=len(page.bill_to) > 1,
    )
    if page.adds_up:
        yield StartStep(
            title=_("See the next charge"),
            text=_next_charge(page),
            button=_("See next charge"),
            url_name="start_step",
            done=Shown.NEXT_CHARGE in membership.dismissed,
            posts=True,
            looks_at=Shown.NEXT_CHARGE,
        )
    if page.invoices:
        yield StartStep(
            title=_("Look at the invoices"),
            text=_("All of them are here, each as a PDF."),
            button=_("See invoices"),
            url_name="start_step",
            done=Shown.INVOICES in membership.dismissed,
            posts=True,
            looks_at=Shown.INVOICES,
        )


def _card(page: BillingPage) -> StartStep:
    if page.methods:
        text = _("Saved: %(method)s.") % {"method": page.methods[0].method.name}
    elif page.all_by_invoice:
        text = _("None is needed: invoices are paid by bank transfer.")
    else:
        text = _("No card is saved.")
    return StartStep(
        title=_("Add a card"),
        text=text,
        # What is owed asks for one itself.
        button="" if page.owed and page.owed.offers_another_method else _("Add card"),
        url_name="card",
        done=bool(page.methods) or page.all_by_invoice,
        posts=True,
        trouble=next((trouble for trouble in page.troubles if trouble.lacks_method), None),
    )


def _next_charge(page: BillingPage) -> str:
    if not page.next_charges:
        return _("What comes next, and how it is made up.")
    at = page.next_charges[0].at
    return _("What comes on %(day)s, and how it is made up.") % {"day": day(at)}
