"""The verbs that change organizations and memberships, one transaction each.

Every verb comes in by ``acting``, which asks the policy again under the organization's lock, since roles may
have changed after the page was made. Raises Denied, Refused, or the model's DoesNotExist.
"""

from orgs.services.last_days import (
    change_last_day,
    end_past_last_day,
    end_past_last_days,
    remind_of_last_days,
)
from orgs.services.memberships import dismiss
from orgs.services.organizations import (
    Change,
    change_settings,
    create_organization,
    link_organization,
    provision_organization,
    rename_organization,
)
from orgs.services.removal import end_all_memberships, leave, remove_billing_managers, remove_member
from orgs.services.roles import change_role
from orgs.services.sessions import sign_out

__all__ = [
    "Change",
    "change_last_day",
    "change_role",
    "change_settings",
    "create_organization",
    "dismiss",
    "end_all_memberships",
    "end_past_last_day",
    "end_past_last_days",
    "leave",
    "link_organization",
    "provision_organization",
    "remind_of_last_days",
    "remove_billing_managers",
    "remove_member",
    "rename_organization",
    "sign_out",
]
