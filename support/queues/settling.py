"""Taking a row out of its queue that needs nothing more: it comes back if it comes up again."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import record
from orgs.acting import acting
from orgs.errors import Refused
from orgs.policy import Permission, ensure
from support.actions import ROW_SETTLED
from support.models import SettledRow
from support.principals import Staff, staff_in
from support.queues import SOURCES, QueueRow


def settle_row(*, staff: Staff, row: QueueRow, ticket: str, reason: str) -> None:
    """The audit log of the row's organization tells of it; of a row that is nobody's, only staff's own.

    Raises Denied, Refused where a colleague was quicker, and StaffSession.DoesNotExist.
    """
    source, key = row.source.code, row.key
    if row.organization is None:
        with transaction.atomic():
            now = staff_in(staff.session.pk)
            ensure(now, Permission.QUEUES_SETTLE)
            _note(row, staff)
            actor = now.actor(ticket=ticket, reason=reason)
            record(ROW_SETTLED, actor=actor, organization=None, source=source, row=key)
    else:
        principal = staff.within(row.organization, ticket=ticket, reason=reason)
        with acting(principal, Permission.QUEUES_SETTLE) as act:
            _note(row, staff)
            act.record(ROW_SETTLED, source=source, row=key)


def forget_settled() -> None:
    """Of what is right again, so that it comes back if it comes up again: few rows have a time for that."""
    for source in SOURCES.values():
        SettledRow.objects.filter(source=source.code).exclude(key__in=source.keys()).delete()


def _note(row: QueueRow, staff: Staff) -> None:
    now = timezone.now()
    settled, is_new = SettledRow.objects.select_for_update().get_or_create(
        source=row.source.code, key=row.key, defaults={"settled_at": now, "session": staff.session}
    )
    if is_new:
        return
    if settled.settled_at >= row.at:
        raise Refused(_("A colleague has taken it out of the queue already."))
    settled.settled_at, settled.session = now, staff.session
    settled.save(update_fields=["settled_at", "session"])
