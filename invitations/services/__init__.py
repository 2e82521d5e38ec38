"""The verbs of invitations: what an inviter does (``sending``, ``lists``), and what an invitee does
(``answering``, ``asking``).
"""

from invitations.services.answering import accept, decline
from invitations.services.asking import ask_for_new
from invitations.services.lists import Outcome, invite_each
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
    "Outcome",
    "accept",
    "ask_for_new",
    "copy_link",
    "create_link",
    "decline",
    "invite_by_mail",
    "invite_each",
    "resend",
    "revoke",
]
