"""What staff do about an organization's customer at Stripe: more time to pay, and moving it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.actions.words import status
from billing.graces import extend_grace, grace_of
from billing.merging import Move, move_customer, plan_move
from billing.money import format_money
from orgs.dates import day
from orgs.models import Organization
from orgs.policy import Permission
from support.acts.base import ActForm, StaffAct, Target, Text, found
from support.principals import Staff

A_WEEK = timedelta(days=7)


class GraceForm(ActForm):
    until = forms.DateField(
        label=gettext_lazy("Until"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("The last day, in UTC."),
    )

    field_order = ["until", "ticket", "reason"]


class ExtendGrace(StaffAct[Organization]):
    name = "extend-grace"
    permission = Permission.GRACE_EXTEND
    submit = gettext_lazy("Give more time")
    form_class = GraceForm
    tone = "primary"

    def find(self, key: str) -> Target[Organization]:
        organization = found(Organization.objects.all(), key)
        return Target(organization, organization)

    def question(self, target: Target[Organization]) -> Text:
        return _("Give %(organization)s more time to pay?") % {"organization": target.thing.name}

    def consequences(self, target: Target[Organization]) -> Sequence[Text]:
        grace = grace_of(target.thing)
        if grace is None:
            return [_("Nothing is past due here, so there is no end to put off.")]
        now = (
            _("Now everything keeps working until %(day)s.") % {"day": day(grace.until)}
            if grace.until
            else _("Now everything keeps working as long as Stripe tries to be paid.")
        )
        return [
            _("Everything keeps working until then. Stripe's attempts go on."),
            _("%(now)s At most until %(last)s.") % {"now": now, "last": day(grace.last)},
        ]

    def shown(self, target: Target[Organization]) -> str:
        grace = grace_of(target.thing)
        return grace.shown if grace else ""

    def initial(self, target: Target[Organization]) -> dict[str, Any]:
        grace = grace_of(target.thing)
        return {"until": grace.first - timedelta(days=1) + A_WEEK} if grace else {}

    def run(self, staff: Staff, target: Target[Organization], data: Mapping[str, Any]) -> Text:
        extend_grace(actor=self.principal(staff, target, data), until=data["until"], shown=data["shown"])
        return _("Everything keeps working until %(day)s.") % {"day": day(data["until"])}


class MergeCustomer(StaffAct[Move]):
    """Its key names both organizations, the one that loses its customer first: see ``merge_key``."""

    name = "merge-customer"
    permission = Permission.CUSTOMERS_MERGE
    submit = gettext_lazy("Move customer")

    def find(self, key: str) -> Target[Move]:
        source_key, tilde, target_key = key.partition("~")
        if not tilde:
            raise Http404
        source, owner = (found(Organization.objects.all(), one) for one in (source_key, target_key))
        return Target(plan_move(source, owner), source)

    def question(self, target: Target[Move]) -> Text:
        return _("Move the customer of %(source)s to %(target)s?") % {
            "source": target.thing.source.name,
            "target": target.thing.target.name,
        }

    def obstacles(self, target: Target[Move]) -> Sequence[Text]:
        found_ones = target.thing.obstacles
        return [_("It can't be moved as it is:"), *found_ones] if found_ones else []

    def consequences(self, target: Target[Move]) -> Sequence[Text]:
        move = target.thing
        return [
            _("This would move, and nothing at Stripe would change:"),
            *_what_moves(move),
            _("%(source)s goes on without a subscription, and keeps its people, log and credits.")
            % {"source": move.source.name},
            _("Name and address on invoices stay as Stripe has them. People of %(target)s can change them.")
            % {"target": move.target.name},
        ]

    def shown(self, target: Target[Move]) -> str:
        return target.thing.fingerprint

    def run(self, staff: Staff, target: Target[Move], data: Mapping[str, Any]) -> Text:
        move = target.thing
        source, owner = (
            staff.within(one, ticket=data["ticket"], reason=data["reason"])
            for one in (move.source, move.target)
        )
        move_customer(source=source, target=owner, shown=data["shown"])
        return _("Moved the customer to %(target)s. It is compared with Stripe now.") % {
            "target": move.target.name
        }


def merge_key(source: Organization, target: Organization) -> str:
    return f"{source.pk}~{target.pk}"


def _what_moves(move: Move) -> Iterator[Text]:
    yield _("Customer %(customer)s.") % {"customer": move.customer_id}
    for one in move.subscriptions:
        yield _("Subscription %(subscription)s: %(state)s.") % {
            "subscription": one.stripe_id,
            "state": status(one.status),
        }
    for currency, count, total in move.invoices:
        told = ngettext("%(count)d invoice: %(sum)s.", "%(count)d invoices: %(sum)s together.", count)
        yield told % {"count": count, "sum": format_money(total, currency)}
    if move.methods:
        told = ngettext("%(count)d saved payment method.", "%(count)d saved payment methods.", move.methods)
        yield told % {"count": move.methods}
