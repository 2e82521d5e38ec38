"""A whole number told in parts that add up to it."""

from collections.abc import Sequence


def parts_of(total: int, weights: Sequence[int]) -> list[int]:
    """The total by weights, none of them below 0, by largest remainder: each part is its exact share, rounded
    up or down, and they add up to the total. Of equal remainders the first is rounded up; without any weight
    the last part is all of it.

    https://en.wikipedia.org/wiki/Quota_method#Largest_remainders
    """
    whole = sum(weights)
    if not whole:
        return [*([0] * (len(weights) - 1)), total]
    shares = [divmod(total * weight, whole) for weight in weights]
    parts = [quotient for quotient, _remainder in shares]
    by_remainder = sorted(range(len(weights)), key=lambda place: -shares[place][1])
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts
