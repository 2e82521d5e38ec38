"""Applying anew what Stripe told: the act of support staff, for what was given up.

Of what was applied before it does no harm: the object is fetched as it is now.
"""

from django.utils.translation import gettext as _

from billing.actions import STRIPE_EVENT_REPLAYED
from billing.models import EventState, StripeEvent
from billing.tasks import handle_event
from orgs.acting import OrganizationPrincipal, acting
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission
from work.doorbell import ring


def replay_event(*, actor: OrganizationPrincipal, event_id: str, shown: str) -> None:
    """Let the workers apply an event of the organization's customers again, now.

    ``shown``: its ``progress`` on the page. Raises Denied, PageOutdated, Refused, StripeEvent.DoesNotExist.
    """
    with acting(actor, Permission.STRIPE_EVENTS_REPLAY) as act:
        event = StripeEvent.objects.for_org(act.organization).select_for_update().get(pk=event_id)
        if event.is_leased:
            raise Refused(_("A worker applies it right now. Look again in a minute."))
        if event.progress != shown:
            raise PageOutdated(_("It was tried meanwhile. This page shows how it is now."))
        event.make_due(state=EventState.RECEIVED, attempts=0, error="", handled_at=None, leased_until=None)
        act.record(STRIPE_EVENT_REPLAYED, target=(event.pk, event.type))
        ring(handle_event, event.pk)
