"""Parts of a whole number add up to it, and each is its exact share rounded up or down."""

from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from billing.parts import parts_of

Weights = st.lists(st.integers(0, 10**12), min_size=1, max_size=30)


@given(total=st.integers(-(10**12), 10**12), weights=Weights)
def test_parts_add_up(total: int, weights: list[int]) -> None:
    assert sum(parts_of(total, weights)) == total


@given(total=st.integers(-(10**12), 10**12), weights=Weights.filter(any))
def test_a_part_is_its_share_rounded(total: int, weights: list[int]) -> None:
    for part, weight in zip(parts_of(total, weights), weights, strict=True):
        share = Fraction(total * weight, sum(weights))
        assert floor(share) <= part <= ceil(share)


def test_the_largest_remainders_are_rounded_up() -> None:
    assert parts_of(10, [1, 1, 1]) == [4, 3, 3]
    assert parts_of(100, [56, 28, 16]) == [56, 28, 16]
    assert parts_of(7, [0, 0]) == [0, 7]
