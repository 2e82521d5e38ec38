"""What a secret looks like, and what of it is known afterwards."""

import pytest

from tokens.secret import OF_ORGANIZATION, OF_PERSON, digest_of, is_well_formed, new_secret


@pytest.mark.parametrize("prefix", [OF_PERSON, OF_ORGANIZATION])
def test_a_new_secret_is_known_by_its_shape(prefix: str) -> None:
    secret = new_secret(prefix)
    assert secret.startswith(prefix)
    assert is_well_formed(secret)
    assert new_secret(prefix) != secret


def test_a_secret_with_one_letter_changed_is_none() -> None:
    secret = new_secret(OF_PERSON)
    for place in range(len(secret)):
        for letter in "aZ5_ \0é":
            changed = f"{secret[:place]}{letter}{secret[place + 1 :]}"
            assert changed == secret or not is_well_formed(changed)
    assert not is_well_formed(secret[:-1])
    assert not is_well_formed(f"{secret}0")
    assert not is_well_formed("")


def test_the_checksum_is_as_the_documentation_says() -> None:
    """Computed by hand once: a scanner at another company relies on it."""
    assert is_well_formed("bpp_000000000000000000000000000000" + "0qwlxU")


def test_the_hash_tells_nothing_of_the_secret() -> None:
    secret = new_secret(OF_PERSON)
    assert len(digest_of(secret)) == 64
    assert secret[4:12] not in digest_of(secret)
