"""The burn order, apart from any database."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from credits.burning import Charge, Line, Pool, burn, runs_out_at

START = datetime(2026, 11, 1, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def pool(left: int, *, number: int = 0, ends: float = 100, **fields: object) -> Pool:
    usual = {
        "grant_id": uuid.UUID(int=number),
        "promotional": False,
        "priority": 0,
        "effective_at": START,
        "expires_at": at(ends),
        "ends_at": at(ends),
        "left": left,
    }
    return Pool(**{**usual, **fields})  # type: ignore[arg-type]


def charge(hour: float, amount: int) -> Charge:
    return Charge(at(hour), at(hour), amount)


def taken(pools: list[Pool], *charges: Charge) -> dict[int | None, int]:
    """In all, by the number of the pool."""
    totals: Counter[int | None] = Counter()
    for line, amount in burn(charges, pools).items():
        totals[line.grant_id.int if line.grant_id else None] += amount
    return dict(totals)


def test_what_expires_soonest_is_burnt_first_then_by_priority_then_promotional_before_paid() -> None:
    pools = [
        pool(10, number=1, ends=100, priority=1, promotional=True),
        pool(10, number=2, ends=100),
        pool(10, number=3, ends=100, promotional=True),
        pool(10, number=4, ends=50, priority=9),
    ]
    assert list(taken(pools, charge(0, 45))) == [4, 3, 2, 1, None]


def test_spans_are_half_open() -> None:
    grants = [pool(10, ends=2, effective_at=at(1))]
    assert taken(grants, charge(0, 1)) == {None: 1}
    assert taken(grants, charge(1, 1)) == {0: 1}
    assert taken(grants, charge(2, 1)) == {None: 1}


def test_a_voided_grant_keeps_its_turn_until_then() -> None:
    grants = [pool(10, number=1, ends=100, ends_at=at(1)), pool(10, number=2, ends=50)]
    assert taken(grants, charge(0, 3), charge(1, 3)) == {2: 6}
    assert taken(grants, charge(0, 12), charge(1, 3)) == {2: 10, 1: 2, None: 3}


def test_what_is_taken_back_pays_for_what_follows_and_burns_nothing() -> None:
    assert burn([Charge(at(5), at(1), -4), charge(6, 6)], [pool(10)]) == {
        Line(at(5), at(1), None): -4,
        Line(at(6), at(6), None): 4,
        Line(at(6), at(6), uuid.UUID(int=0)): 2,
    }


def test_credits_run_out_at_the_rate_of_now() -> None:
    grants = [pool(10, number=1, ends=2), pool(10, number=2, ends=50)]
    assert runs_out_at(grants, since=START, rate=1) == at(12)
    assert runs_out_at(grants, since=START, rate=10) == at(2)
    assert runs_out_at(grants, since=START, rate=0) is None
    assert runs_out_at([pool(10, ends=9)], since=START, rate=1) is None
    assert runs_out_at([pool(10, ends=10)], since=START, rate=1) == at(10)
    assert runs_out_at([], since=START, rate=1) == START


hours = st.integers(0, 30)
pools_drawn = st.lists(
    st.builds(
        lambda begins, lasts, voided, left, priority, promotional: {
            "effective_at": at(begins),
            "expires_at": at(begins + lasts),
            "ends_at": at(begins + min(lasts, voided)),
            "left": left,
            "priority": priority,
            "promotional": promotional,
        },
        hours,
        st.integers(1, 30),
        st.integers(0, 40),
        st.integers(0, 60),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=5,
)
charges_drawn = st.dictionaries(hours, st.integers(0, 40), max_size=12)


@settings(max_examples=60)
@given(pools_drawn, charges_drawn, st.randoms(use_true_random=False))
def test_whatever_comes_in_whatever_order(
    drawn: list[dict[str, object]], counted: dict[int, int], random: object
) -> None:
    pools = [pool(number=number, **fields) for number, fields in enumerate(drawn)]  # type: ignore[arg-type]
    charges = [charge(hour, amount) for hour, amount in counted.items()]
    lines = burn(charges, pools)

    shuffled, turned = charges[:], pools[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert burn(shuffled, turned) == lines

    by_hour: Counter[datetime] = Counter()
    by_pool: Counter[uuid.UUID] = Counter()
    for line, amount in lines.items():
        by_hour[line.hour] += amount
        if line.grant_id:
            by_pool[line.grant_id] += amount
    assert by_hour == Counter({at(hour): amount for hour, amount in counted.items() if amount})
    assert all(0 <= by_pool[one.grant_id] <= one.left for one in pools)
    assert_nobody_jumped_the_queue(lines, pools)


def assert_nobody_jumped_the_queue(lines: dict[Line, int], pools: list[Pool]) -> None:
    """Where something was burnt of a grant, or on demand, all before it were empty or not open."""
    left = {one.grant_id: one.left for one in pools}
    for hour in sorted({line.hour for line in lines}):
        burnt = {line.grant_id: amount for line, amount in lines.items() if line.hour == hour}
        for one in pools:
            left[one.grant_id] -= burnt.get(one.grant_id, 0)
            assert one.is_open(hour) or one.grant_id not in burnt
        for before in pools:
            later = [one.grant_id for one in pools if one.order > before.order]
            if before.is_open(hour) and left[before.grant_id]:
                assert None not in burnt
                assert not any(burnt.get(one) for one in later)
