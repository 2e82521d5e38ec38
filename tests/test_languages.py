"""The tests' second language is one to Django, and is gone afterwards."""

from django.utils.translation import gettext, ngettext, override

from tests.languages import use_catalogue


def test_a_message_is_translated_inside_and_nowhere_else() -> None:
    translations = {
        "Admin": "Verwalter",
        ("%(days)s day", "%(days)s days"): ("%(days)s Tag", "%(days)s Tage"),
    }
    with use_catalogue(translations):
        with override("de"):
            assert gettext("Admin") == "Verwalter"
            assert [ngettext("%(days)s day", "%(days)s days", days) for days in (1, 2)] == [
                "%(days)s Tag",
                "%(days)s Tage",
            ]
        assert gettext("Admin") == "Admin"
    with override("de"):
        assert gettext("Admin") == "Admin"
