"""What the pages about invitations and people read, one dataclass per page."""

from invitations.selectors.continuity import ContinuityWarning
from invitations.selectors.invitee import (
    InvitationPage,
    invitation_page,
    invitations_for,
    person_with_invitations,
)
from invitations.selectors.managers import BillingManagersPanel, billing_managers_panel
from invitations.selectors.members import MembersPage, members_page
from invitations.selectors.pending import (
    delegated_invitations,
    ended_invitations,
    pending_invitations,
    reserved_places,
)
from invitations.selectors.surplus import SurplusInvitations, surplus_invitations
from invitations.selectors.ways import Way, ways_on

__all__ = [
    "BillingManagersPanel",
    "ContinuityWarning",
    "InvitationPage",
    "MembersPage",
    "SurplusInvitations",
    "Way",
    "billing_managers_panel",
    "delegated_invitations",
    "ended_invitations",
    "invitation_page",
    "invitations_for",
    "members_page",
    "pending_invitations",
    "person_with_invitations",
    "reserved_places",
    "surplus_invitations",
    "ways_on",
]
