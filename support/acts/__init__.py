"""All that staff do for a customer, by name."""

from typing import Any

from support.acts.admins import AskForAdmin, GrantAdmin, RefuseAdmin
from support.acts.base import StaffAct
from support.acts.mails import SendMailAgain, SendMailToAnother
from support.acts.people import (
    ChangeRole,
    Invite,
    RemovePerson,
    ResendInvitation,
    RevokeInvitation,
    SignOut,
)

ALL: list[StaffAct[Any]] = [
    Invite(),
    ResendInvitation(),
    RevokeInvitation(),
    RemovePerson(),
    ChangeRole(),
    SignOut(),
    AskForAdmin(),
    GrantAdmin(),
    RefuseAdmin(),
    SendMailAgain(),
    SendMailToAnother(),
]
ACTS = {act.name: act for act in ALL}
