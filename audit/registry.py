"""The actions that the audit log knows. Each app registers its own when it is ready."""

from dataclasses import dataclass

from django.utils.functional import Promise


class UnknownActionError(LookupError):
    """An action that no app has registered."""


@dataclass(frozen=True)
class Action:
    """``code``: ``subject.verb`` in the past tense. ``label``: for the filter. ``sentence``: a %-format
    over the event's data and ``target``, read after the actor's name: "invited %(target)s as %(role)s".
    """

    code: str
    label: Promise
    sentence: Promise


_actions: dict[str, Action] = {}


def register(*actions: Action) -> None:
    for action in actions:
        _actions[action.code] = action


def action_of(code: str) -> Action:
    """The registered action of that code. Raises UnknownActionError."""
    try:
        return _actions[code]
    except KeyError:
        raise UnknownActionError(code) from None


def all_actions() -> list[Action]:
    return sorted(_actions.values(), key=lambda action: action.code)
