"""Two at once: what is used up is used once, and of two answers one counts."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.http import HttpResponse

from orgs.models import Membership
from orgs.policy import Role
from programs.models import DeviceRequest
from programs.services import allow_device, deny_device
from tests.factories import MembershipFactory
from tests.programs.factories import CommandLineFactory, ProgramFactory
from tests.programs.tool import Tool, allow, told
from tests.races import ROUNDS, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty rounds come from one address."""
    for limit in ("program_endpoint", "device_begin"):
        monkeypatch.setitem(settings.ACCOUNT_RATE_LIMITS, limit, "10000/m/ip")


def one_of_two(call: Callable[[], HttpResponse]) -> dict[str, str]:
    """The tokens that one of two equal requests gets, while the other is refused."""
    refused, given = sorted(at_once(call, call), key=lambda answer: -answer.status_code)  # type: ignore[attr-defined]
    assert refused.status_code == 400  # type: ignore[attr-defined]
    tokens: dict[str, str] = told(given)  # type: ignore[arg-type]
    return tokens


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_code_and_a_refresh_token_are_used_once(rounds: int) -> None:
    tool, manager = Tool(ProgramFactory()), MembershipFactory(role=Role.BILLING_MANAGER)
    for _round in range(rounds):
        code = allow(tool, manager)
        tokens = one_of_two(lambda code=code: tool.redeem(code))
        one_of_two(lambda token=tokens["refresh_token"]: tool.refresh(token))


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_device_gets_its_tokens_once(rounds: int) -> None:
    tool, manager = Tool(CommandLineFactory()), MembershipFactory(role=Role.BILLING_MANAGER)
    for _round in range(rounds):
        begun, waiting = tool.begin_on_device(), DeviceRequest.objects.get()
        allow_device(actor=manager, request_id=waiting.pk)
        one_of_two(lambda code=begun["device_code"]: tool.poll(code))


def test_of_two_answers_one_counts() -> None:
    tool, manager = Tool(CommandLineFactory()), MembershipFactory(role=Role.BILLING_MANAGER)
    tool.begin_on_device()
    waiting: DeviceRequest = DeviceRequest.objects.get()
    outcomes = at_once(
        lambda: allow_device(actor=manager, request_id=waiting.pk), lambda: deny_device(waiting.pk)
    )
    assert sum(isinstance(outcome, DeviceRequest.DoesNotExist) for outcome in outcomes) == 1


def test_a_person_who_left_meanwhile_allows_nothing() -> None:
    tool: Tool = Tool(CommandLineFactory())
    manager: Membership = MembershipFactory(role=Role.BILLING_MANAGER)
    tool.begin_on_device()
    Membership.objects.filter(pk=manager.pk).delete()
    with pytest.raises(Membership.DoesNotExist):
        allow_device(actor=manager, request_id=DeviceRequest.objects.get().pk)
    assert DeviceRequest.objects.get().connection is None
