"""An organization's terms, its edition and its seats: they follow the subscription that Stripe has."""

from django.utils import timezone

from audit.services import Actor
from orgs import actions, events
from orgs.acting import Act
from orgs.editions import edition_of
from orgs.models import Organization

# The terms, by their fields' names.
TERMS = {"edition_code": actions.EDITION_CHANGED, "seats": actions.SEATS_CHANGED}


def follow_subscription(organization: Organization, *, edition_code: str, seats: int | None) -> None:
    """Give the organization the terms of its subscription; without one, STARTING_EDITION and no seats.

    Call it with the organization locked, in the transaction that writes the subscription down. What is so
    already changes nothing. Nobody is dropped where there are more people than the terms have room for.

    ``seats``: the quantity bought; an edition that isn't sold by seats has none. Raises UnknownEditionError.
    """
    edition = edition_of(edition_code, on=timezone.now().date())
    wanted = {"edition_code": edition.code, "seats": seats if edition.per_seat else None}
    old = {name: getattr(organization, name) for name in wanted}
    changed = [name for name in wanted if wanted[name] != old[name]]
    act = Act(organization, Actor.stripe())
    for name in changed:
        setattr(organization, name, wanted[name])
        act.record(TERMS[name], old=old[name], new=wanted[name])
    organization.save(update_fields=changed)
    if "edition_code" in changed:
        events.edition_changed.send(
            Organization, organization_id=organization.pk, old=old["edition_code"], new=edition.code
        )
