"""What of support staff the audit log tells."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, label_in
from orgs.policy import StaffRole
from support.models import Proof


def staff_roles(codes: str) -> str:
    """Codes of staff roles, with commas between them."""
    role = label_in(StaffRole)
    return ", ".join(map(role, codes.split(","))) if codes else str(_("none"))


def source_words(code: str) -> str:
    """What a row of a queue is about, by its source."""
    return str(SOURCE_WORDS.get(code, code))


# By the codes in ``support.queues``.
SOURCE_WORDS = {
    "webhook": _("a message of Stripe's that could not be applied"),
    "mail": _("a mail that failed"),
    "operation": _("an operation at Stripe that was given up"),
    "preview": _("an invoice unlike its preview"),
    "price": _("a price that no edition knows"),
    "organization": _("who can run the organization"),
    "drift": _("what had not come from Stripe"),
    "unreadable": _("what the portal can't read at Stripe"),
    "not_compared": _("why the organization can't be compared with Stripe"),
    "closed": _("a subscription that goes on after the organization has closed"),
    "unknown_customer": _("a customer at Stripe of no organization"),
    "charge": _("on-demand credits that are not at Stripe"),
}
SESSION_OPENED = Action(
    "staff_session.opened",
    _("Support staff opened a session"),
    _("opened a staff session"),
)
SESSION_ENDED = Action(
    "staff_session.ended",
    _("Support staff ended a session"),
    _("ended a staff session"),
)
ORGANIZATION_OPENED = Action(
    "organization.opened_by_staff",
    _("Support staff looked at the organization"),
    _("looked at the organization"),
)
ROW_SETTLED = Action(
    "queue_row.settled",
    _("Support staff looked into something that had failed"),
    _("looked into %(source)s and found nothing more to do"),
    source=source_words,
    row=str,
)
PORTAL_SEEN_AS = Action(
    "portal.seen_by_staff",
    _("Support staff saw the portal as a person"),
    _("saw the portal as %(target)s"),
)
ROLES_CHANGED = Action(
    "staff_roles.changed",
    _("Changed somebody's roles in support"),
    _("changed the support roles of %(target)s from %(old)s to %(new)s"),
    old=staff_roles,
    new=staff_roles,
)
ADMIN_ASKED = Action(
    "admin.asked",
    _("Support staff asked to make somebody an admin"),
    _("asked for %(target)s to become an admin, and noted this proof of ownership: %(proof)s, %(reference)s"),
    proof=label_in(Proof),
    reference=str,
)
ADMIN_GRANTED = Action(
    "admin.granted",
    _("Support staff granted that somebody becomes an admin"),
    _("granted that %(target)s becomes an admin"),
)
ADMIN_REFUSED = Action(
    "admin.refused",
    _("Support staff refused that somebody becomes an admin"),
    _("refused that %(target)s becomes an admin"),
)
MAIL_SENT_AGAIN = Action(
    "mail.sent_again",
    _("Sent a mail again"),
    _("sent a mail again, to %(target)s"),
)
MAIL_READDRESSED = Action(
    "mail.readdressed",
    _("Sent a mail to another person"),
    _("sent a mail for %(old)s to %(target)s"),
    old=str,
)
