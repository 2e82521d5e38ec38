"""Cost labels of stacks: who sees billing and no stacks can tell by them what costs come from.

A label holds from the beginning of the running month (UTC) on: earlier months stay as they were told.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from orgs.acting import OrganizationPrincipal, acting
from orgs.errors import PageOutdated, Refused
from orgs.policy import Permission
from usage.actions import STACKS_LABELED
from usage.models import LabelHour, OrganizationHour, Stack
from usage.settling import hold_recording

# Of stacks at once, and of the labels of an organization: each has a row an hour.
MOST_STACKS = 100
MOST_LABELS = 100

# What these stacks held goes from the label that they have to another one.
MOVED = """
WITH held AS (
    SELECT counted.hour, stack.cost_label AS label, sum(counted.resources) AS resources
    FROM usage_organizationhour AS hours, LATERAL (
        SELECT hour, stack_id, resources FROM usage_hourlycount AS counted
        WHERE counted.organization_id = %(organization)s AND counted.hour = hours.hour
        AND counted.stack_id = ANY(%(stacks)s) OFFSET 0
    ) AS counted JOIN usage_stack AS stack ON stack.id = counted.stack_id
    WHERE hours.organization_id = %(organization)s AND hours.hour >= %(since)s GROUP BY 1, 2
), taken AS (
    UPDATE usage_labelhour AS kept SET resources = greatest(0, kept.resources - held.resources) FROM held
    WHERE kept.organization_id = %(organization)s AND kept.hour = held.hour AND kept.label = held.label
)
INSERT INTO usage_labelhour AS kept (organization_id, hour, label, resources)
SELECT %(organization)s, hour, %(label)s::text, sum(resources) FROM held
WHERE %(label)s::text <> '' GROUP BY hour ORDER BY hour
ON CONFLICT (organization_id, hour, label) DO UPDATE SET resources = kept.resources + EXCLUDED.resources
"""


def label_stacks(
    *, actor: OrganizationPrincipal, names: Iterable[str], label: str, shown: Mapping[str, str] | None = None
) -> int:
    """Give stacks a cost label, or with an empty one take it from them; how many had another.

    ``shown``: the labels that the person saw, by the stacks' names. Raises Denied, an ObjectDoesNotExist for
    an actor that has ended, PageOutdated, and Refused for a stack that isn't there and for too many labels.
    """
    wanted = set(names)
    with acting(actor, Permission.STACKS_LABEL) as act:
        # A report that comes meanwhile counts under the one label or the other.
        hold_recording(act.organization.pk)
        stacks = Stack.objects.filter(organization=act.organization)
        found = {stack.name: stack for stack in stacks.filter(name__in=wanted)}
        if len(wanted) > MOST_STACKS:
            raise Refused(_("Label at most %(most)s stacks at once.") % {"most": MOST_STACKS})
        if unknown := sorted(wanted - found.keys()):
            raise Refused(_("There is no stack %(name)s.") % {"name": unknown[0]})
        if any(found[name].cost_label not in (seen, label) for name, seen in (shown or {}).items()):
            raise PageOutdated(
                _("Somebody else labeled some of these stacks meanwhile. Look at them, then try again.")
            )
        changed = sorted(name for name, stack in found.items() if stack.cost_label != label)
        if not changed:
            return 0
        ids = [found[name].pk for name in changed]
        _move(act.organization.pk, ids, label)
        stacks.filter(pk__in=ids).update(cost_label=label)
        labels = stacks.exclude(cost_label="").values("cost_label").distinct()
        if label and labels.count() > MOST_LABELS:
            raise Refused(
                _("Use at most %(most)s labels: give these stacks one that there is.") % {"most": MOST_LABELS}
            )
        act.record(STACKS_LABELED, cost_label=label, stacks=", ".join(changed))
        return len(changed)


def _move(organization_id: uuid.UUID, stacks: list[uuid.UUID], label: str) -> None:
    now = timezone.now().astimezone(UTC)
    values: dict[str, Any] = {
        "organization": organization_id,
        "stacks": stacks,
        "label": label,
        "since": now.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
    }
    with connection.cursor() as cursor:
        cursor.execute(MOVED, values)


def resource_hours_by_label(organization_id: uuid.UUID, since: datetime, until: datetime) -> dict[str, int]:
    """Of the hours from ``since`` up to ``until``, by label; "": what has none."""
    within = {"organization": organization_id, "hour__gte": since, "hour__lt": until}
    sums = LabelHour.objects.filter(**within).values_list("label").annotate(total=Sum("resources"))
    labeled = {label: int(total) for label, total in sums.order_by("label") if total}
    total = OrganizationHour.objects.filter(**within).aggregate(total=Sum("resources"))["total"] or 0
    return {**labeled, "": max(0, int(total) - sum(labeled.values()))}
