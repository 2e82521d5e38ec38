"""The queue of organizations that nobody can run."""

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invitations.models import Invitation
from orgs.last_days import NOT_PAST
from orgs.models import Membership, Organization, OrganizationQuerySet
from orgs.policy import Role
from support.queues.base import Facts, Queue, Source, Words


def without_admin() -> OrganizationQuerySet:
    """Those without an admin who can sign in, and without an invitation by which one could come.

    A password, or a verified address to which a new one can be mailed, is a way in; a second factor that was
    lost is not seen here.
    """
    mailable = EmailAddress.objects.filter(user=OuterRef("user"), verified=True)
    has_password = ~Q(user__password__startswith=UNUSABLE_PASSWORD_PREFIX) & ~Q(user__password="")
    admins = Membership.objects.admins().filter(has_password | Exists(mailable))
    invited = Invitation.objects.pending().unexpired().filter(NOT_PAST, role=Role.ADMIN)
    ours = {"organization": OuterRef("pk")}
    return Organization.objects.filter(closed_at=None).exclude(
        Exists(admins.filter(**ours)) | Exists(invited.filter(**ours))
    )


def _words(facts: Facts) -> Words:
    return Words(facts["name"], _("No admin of it can sign in, and none is invited."))


ADMINS = Queue(
    code="admins",
    title=gettext_lazy("Organizations without an admin"),
    about=gettext_lazy(
        "Nobody can invite, change roles or close it. Make somebody admin who proves that it is theirs."
    ),
    sources=(
        Source(
            code="organization",
            rows=without_admin,
            at="created_at",
            at_label=gettext_lazy("created"),
            organization=F("pk"),
            facts={"name": F("name")},
            words=_words,
            record="orgs_organization",
            organization_acts=("ask-admin",),
        ),
    ),
)
