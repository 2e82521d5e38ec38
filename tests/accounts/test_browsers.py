"""How the list of sessions names a browser."""

import pytest

from accounts.templatetags.browsers import browser


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox 145 on Linux"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.1 Safari/605.1.15",
            "Safari 18 on Mac OS X",
        ),
        ("curl/8.5.0", "curl 8"),
        ("My <own> client", "My <own> client"),
        ("x" * 200, "x" * 80),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_by_family_and_system(user_agent: str, shown: str) -> None:
    assert browser(user_agent) == shown
