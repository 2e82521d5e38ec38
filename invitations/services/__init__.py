"""The verbs of invitations: what an inviter does (``sending``, ``lists``, ``bringing_in``), what an invitee
does (``answering``, ``asking``), and what the product does for a new customer (``provisioning``).
"""

from invitations.services.answering import accept, decline
from invitations.services.asking import ask_for_new
from invitations.services.bringing_in import Brought, bring_in
from invitations.services.lists import Outcome, invite_each
from invitations.services.provisioning import provision
from invitations.services.sending import (
    BelongsAlready,
    address_to_invite,
    copy_link,
    create_link,
    invite_by_mail,
    resend,
    resend_for_host,
    revoke,
)

__all__ = [
    "BelongsAlready",
    "Brought",
    "Outcome",
    "accept",
    "address_to_invite",
    "ask_for_new",
    "bring_in",
    "copy_link",
    "create_link",
    "decline",
    "invite_by_mail",
    "invite_each",
    "provision",
    "resend",
    "resend_for_host",
    "revoke",
]
