"""All that staff do for a customer, by name."""

from typing import Any

from support.acts.admins import AskForAdmin, GrantAdmin, RefuseAdmin
from support.acts.base import StaffAct
from support.acts.credits import GiveCredits, VoidCredits
from support.acts.customers import ExtendGrace, MergeCustomer
from support.acts.mails import SendMailAgain, SendMailToAnother
from support.acts.people import (
    ChangeRole,
    Invite,
    RemovePerson,
    ResendInvitation,
    RevokeInvitation,
    SignOut,
)
from support.acts.queues import SettleRow
from support.acts.stripe import GiveUpOperation, Reconcile, ReplayEvent, RetryOperation
from support.acts.viewing import ViewAs

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
    ViewAs(),
    SendMailAgain(),
    SendMailToAnother(),
    ReplayEvent(),
    RetryOperation(),
    GiveUpOperation(),
    Reconcile(),
    ExtendGrace(),
    MergeCustomer(),
    GiveCredits(),
    VoidCredits(),
    SettleRow(),
]
ACTS = {act.name: act for act in ALL}
