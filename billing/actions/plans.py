"""What the audit log tells of changes of the plan."""

from django.utils.translation import gettext_lazy as _

from audit.registry import BillingAction as Action
from billing.actions.words import day_of, plan

PLAN_CHANGE_ASKED = Action(
    "subscription.change_asked",
    _("Asked for another plan"),
    _("asked to change from %(old)s to %(new)s on %(day)s"),
    old=plan,
    new=plan,
    day=day_of,
)
PLAN_CHANGED = Action(
    "subscription.plan_changed",
    _("Changed the plan"),
    _("changed the plan from %(old)s to %(new)s"),
    old=plan,
    new=plan,
)
PLAN_CHANGE_PLANNED = Action(
    "subscription.change_planned",
    _("Planned a change of the plan"),
    _("planned the change from %(old)s to %(new)s on %(day)s"),
    old=plan,
    new=plan,
    day=day_of,
)
PLAN_UNDO_ASKED = Action(
    "subscription.undo_asked",
    _("Asked to undo a planned change"),
    _("asked to undo the change planned for %(day)s"),
    day=day_of,
)
PLAN_CHANGE_UNDONE = Action(
    "subscription.change_undone",
    _("Undid a planned change"),
    _("undid the change planned for %(day)s"),
    day=day_of,
)
