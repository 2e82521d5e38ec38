"""What staff do with a row of a queue, whatever it is about."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.errors import PageOutdated
from orgs.policy import Permission
from support.acts.base import StaffAct, Target, Text
from support.principals import Staff
from support.queues import QueueRow, queue_row
from support.queues.settling import settle_row


class SettleRow(StaffAct[QueueRow]):
    """The key is the row's name. ``shown``: when it came up; nobody takes out what they have not seen."""

    name = "settle-row"
    permission = Permission.QUEUES_SETTLE
    submit = gettext_lazy("Take out of the queue")
    tone = "primary"

    def find(self, key: str) -> Target[QueueRow]:
        row = queue_row(key)
        if row is None:
            raise Http404
        return Target(row, row.organization)

    def question(self, target: Target[QueueRow]) -> Text:
        return _("Does this need nothing more: %(what)s?") % {"what": target.thing.what}

    def consequences(self, target: Target[QueueRow]) -> list[Text]:
        return [
            target.thing.why,
            _("Nothing is changed but the queue. If it comes up again, it comes back."),
        ]

    def shown(self, target: Target[QueueRow]) -> str:
        return target.thing.at.isoformat()

    def run(self, staff: Staff, target: Target[QueueRow], data: Mapping[str, Any]) -> Text:
        if data["shown"] != self.shown(target):
            raise PageOutdated(_("It came up again meanwhile. Look at it as it is now."))
        settle_row(staff=staff, row=target.thing, ticket=data["ticket"], reason=data["reason"])
        return _("It is out of the queue.")

    def back(self, target: Target[QueueRow]) -> str:
        query = urlencode({"queue": target.thing.queue.code})
        return f"{reverse('admin:support_queues')}?{query}"
