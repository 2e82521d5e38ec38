"""What leaves the portal is chosen fact by fact."""

import pytest

from hooks.announcements import ANNOUNCED, BILLING, PEOPLE, Announced, label_of
from hooks.models import Endpoint
from hooks.selectors import endpoint_page

# Facts that hold what somebody has typed: a name, a tax id.
TYPED = {"inviter", "person", "tax_id", "team"}


@pytest.mark.parametrize("announced", [*PEOPLE, *BILLING], ids=lambda told: told.code)
def test_an_announcement_tells_known_facts_and_none_that_somebody_typed(announced: Announced) -> None:
    assert set(announced.facts) <= announced.action.data.keys() - TYPED


def test_each_action_is_told_once() -> None:
    assert len(ANNOUNCED) == len(PEOPLE) + len(BILLING)
    assert len({str(told.label) for told in ANNOUNCED.values()}) == len(ANNOUNCED)


@pytest.mark.django_db
def test_an_event_that_is_told_no_more_stays_readable(endpoint: Endpoint) -> None:
    endpoint.events = ["organization.sold", "invoice.paid"]
    assert endpoint_page(endpoint).events == ["organization.sold", "Invoice paid"]
    assert label_of("webhook.ping") == "Test"
