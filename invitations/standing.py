"""Whether a claim still opens its invitation."""

from invitations.models import Invitation, State
from invitations.refusals import Reason
from invitations.tokens import Claim

ENDED = {
    State.ACCEPTED: Reason.USED,
    State.DECLINED: Reason.DECLINED,
    State.REVOKED: Reason.REVOKED,
    State.EXPIRED: Reason.EXPIRED,
}


def dead_because(invitation: Invitation, claim: Claim) -> Reason | None:
    """Why nobody can accept with this claim any more; None while it is good."""
    if invitation.state != State.PENDING:
        return ENDED[State(invitation.state)]
    if invitation.generation != claim.generation:
        return Reason.SUPERSEDED
    return Reason.EXPIRED if invitation.is_overdue else None
