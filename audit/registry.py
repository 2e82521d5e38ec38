"""The actions that the audit log knows. Each app declares its own; making one registers it."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.functional import Promise

# What an event stores of one fact: a code, a number, a name. What people read is made of it when they read.
Datum = str | int | bool | None | Mapping[str, str | int]
# Makes the words for a stored fact, in the language of the person who reads.
Wording = Callable[[Any], str]


class UnknownActionError(LookupError):
    """A code that no action has, or no longer."""


class Action:
    """Something that is done, and how to tell of it.

    ``code``: ``subject.verb`` in the past tense. ``label``: for the filter. ``sentence``: a %-format over
    ``target`` and the data, read after the actor's name: "invited %(target)s as %(role)s".
    ``data``: each fact that an event stores, with what words it; ``actor``, ``target``: the same for the
    stored names.
    """

    about_billing = False

    def __init__(
        self,
        code: str,
        label: Promise,
        sentence: Promise,
        *,
        actor: Wording = str,
        target: Wording = str,
        **data: Wording,
    ) -> None:
        self.code = code
        self.label = label
        self.sentence = sentence
        self.actor = actor
        self.target = target
        self.data = data
        _actions[code] = self

    def __repr__(self) -> str:
        return f"<Action {self.code}>"

    def told(self, *, target: str, data: Mapping[str, Datum]) -> str:
        """The sentence in the current language.

        Raises LookupError, TypeError or ValueError for data that the sentence can't be made of.
        """
        if data.keys() != self.data.keys():
            raise ValueError(f"{self.code} is told of {sorted(self.data)}, not of {sorted(data)}.")
        words = {name: wording(data[name]) for name, wording in self.data.items()}
        return str(self.sentence) % {**words, "target": self.target(target)}


class BillingAction(Action):
    """One of the billing activity, which billing managers read too: its sentence names no member."""

    about_billing = True


_actions: dict[str, Action] = {}


def action_of(code: str) -> Action:
    """The action of that code. Raises UnknownActionError."""
    try:
        return _actions[code]
    except KeyError:
        raise UnknownActionError(code) from None


def all_actions() -> list[Action]:
    return sorted(_actions.values(), key=lambda action: action.code)


def billing_codes() -> list[str]:
    """Those of the billing activity."""
    return [action.code for action in all_actions() if action.about_billing]


def label_in(choices: type[TextChoices]) -> Wording:
    """Words a code by its label among ``choices``."""
    return lambda code: str(choices(code).label)
