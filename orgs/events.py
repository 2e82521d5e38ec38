"""The few domain events, for the apps above that must act in the same transaction.

They are the only signals of our own. A receiver runs inside the sender's transaction, under its locks.
"""

from django.dispatch import Signal

# organization_id, user_id, role: str, actor: audit.services.Actor; a person was removed, has left, or the
# organization is closed. Their row stands until every receiver is done, since what hangs on it goes with it.
membership_ended = Signal()
# organization_id, user_id, old: str, new: str
role_changed = Signal()
# actor: OrganizationPrincipal, old: str, new: str; the organization has another name.
organization_renamed = Signal()
# organization_id; billing managers may no longer manage billing managers. The organization says so already.
delegation_ended = Signal()
# organization_id; an admin has asked to close the organization.
closing_begun = Signal()
# organization_id; it is closed for good. Its memberships have ended.
organization_closed = Signal()
# organization_id, old: str, new: str; codes of editions. The organization is locked, and has the new one.
edition_changed = Signal()
