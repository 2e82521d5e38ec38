"""The verbs of invitations: what an inviter does (``sending``), and what an invitee does (``answering``)."""

from invitations.services.answering import accept, decline
from invitations.services.sending import (
    BelongsAlready,
    copy_link,
    create_link,
    invite_by_mail,
    resend,
    revoke,
)

__all__ = [
    "BelongsAlready",
    "accept",
    "copy_link",
    "create_link",
    "decline",
    "invite_by_mail",
    "resend",
    "revoke",
]
