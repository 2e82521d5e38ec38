"""What of this app the audit log tells."""

from django.utils.translation import gettext_lazy

from audit.registry import Action

CREATED = Action("team.created", gettext_lazy("Created a team"), gettext_lazy("created the team %(target)s"))
RENAMED = Action(
    "team.renamed",
    gettext_lazy("Renamed a team"),
    gettext_lazy("renamed the team %(old)s to %(new)s"),
    old=str,
    new=str,
)
DESCRIBED = Action(
    "team.described",
    gettext_lazy("Described a team"),
    gettext_lazy("changed the description of the team %(target)s"),
)
DELETED = Action("team.deleted", gettext_lazy("Deleted a team"), gettext_lazy("deleted the team %(target)s"))
PERSON_ADDED = Action(
    "team.person_added",
    gettext_lazy("Added a person to a team"),
    gettext_lazy("added %(target)s to the team %(team)s"),
    team=str,
    team_id=str,
)
PERSON_REMOVED = Action(
    "team.person_removed",
    gettext_lazy("Removed a person from a team"),
    gettext_lazy("removed %(target)s from the team %(team)s"),
    team=str,
    team_id=str,
)
