"""Teams: people of an organization to whom the product beside the portal gives access together."""

import re
import unicodedata
import uuid
from typing import ClassVar, NamedTuple

import pgtrigger
from django.db import models
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.validators import validate_display_name
from orgs.models import Membership, OfOrganization, Organization

LONGEST_NAME, LONGEST_DESCRIPTION = 80, 200

# Joiners and variation selectors: a name may have them, and looks nearly the same without.
UNSEEN = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")

# A team or a membership that isn't there any more is the foreign keys' business: it is refused here already.
KEEP_TO_ONE_ORGANIZATION = """
    IF NOT EXISTS (
        SELECT FROM teams_team
        JOIN orgs_membership USING (organization_id)
        WHERE teams_team.id = NEW.team_id AND orgs_membership.id = NEW.membership_id
    ) THEN
        RAISE EXCEPTION 'A team has people of its own organization only.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'teammembership_one_organization';
    END IF;
    RETURN NEW;
"""


def name_key(name: str) -> str:
    """What names have in common that people take for the same: without regard to case, width and spaces.

    See https://www.unicode.org/reports/tr15/ and Unicode, section 3.13, on caseless matching.
    """
    folded = unicodedata.normalize("NFKC", UNSEEN.sub("", name)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


class Details(NamedTuple):
    """What people say of a team."""

    name: str
    description: str


class TeamQuerySet(OfOrganization["Team"]):
    def counted(self) -> "TeamQuerySet":
        """Each with ``people_count``."""
        # The types take what the model declares for a second attribute of that name.
        return self.annotate(people_count=Count("team_memberships"))  # type: ignore[no-redef]


class Team(models.Model):
    """``name_key``: of the name, see there. ``people_count``: only of ``counted`` teams."""

    people_count: int

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(_("name"), max_length=LONGEST_NAME, validators=[validate_display_name])
    name_key = models.TextField(editable=False)
    description = models.CharField(
        _("description"), max_length=LONGEST_DESCRIPTION, blank=True, validators=[validate_display_name]
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects: ClassVar[TeamQuerySet] = TeamQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.UniqueConstraint(fields=["organization", "name_key"], name="team_name_once"),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="team_org_created")]

    def __str__(self) -> str:
        return self.name

    @property
    def details(self) -> Details:
        return Details(self.name, self.description)

    @details.setter
    def details(self, details: Details) -> None:
        self.name, self.description = details
        self.name_key = name_key(self.name)


class TeamMembershipQuerySet(models.QuerySet["TeamMembership"]):
    def for_org(self, organization: Organization | uuid.UUID) -> "TeamMembershipQuerySet":
        return self.filter(team__organization=organization)


class TeamMembership(models.Model):
    """A person is in a team. It ends with either; a billing manager is in none."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="team_memberships", db_index=False)
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="team_memberships")
    added_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    objects: ClassVar[TeamMembershipQuerySet] = TeamMembershipQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("person in a team")
        verbose_name_plural = _("people in teams")
        constraints = [
            models.UniqueConstraint(fields=["team", "membership"], name="teammembership_once"),
        ]
        indexes = [models.Index(fields=["team", "-added_at", "-id"], name="teammembership_team_added")]
        triggers = [
            pgtrigger.Trigger(
                name="one_organization",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=KEEP_TO_ONE_ORGANIZATION,
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership.user} in {self.team}"
