"""Whatever staff ask the admin's pages for: nothing secret is looked up, and nothing breaks."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Field, Model
from django.test import Client
from django.urls import reverse

from accounts.models import User
from outbox.models import OutgoingEmail
from tests.factories import UserFactory
from tests.sampling import sampled
from tests.security.hostile import PIECES
from tests.security.wire import Hostile, send
from tests.world import World

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LOOKUPS = ["", "__exact", "__startswith", "__regex", "__contains", "__gt", "__in", "__isnull", "__x"]
SECRETS = re.compile("password|session_key|data|payload|params|key|secret|token|error|body|context")
PAGES = ("change", "history", "delete")


def page_of(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def columns(model: type[Model], hops: int = 2) -> Iterator[str]:
    """Every column of a model, and of those that it leads to, as a lookup names them."""
    for field in model._meta.get_fields():
        if isinstance(field, Field):
            yield field.name
            yield field.attname
        if field.is_relation and field.related_model and hops:
            name = field.name if isinstance(field, Field) else field.get_accessor_name() or field.name
            yield from (f"{name}__{column}" for column in columns(field.related_model, hops - 1))


def declared(page: ModelAdmin[Model]) -> set[str]:
    return {*map(str, page.list_filter), str(page.date_hierarchy)}


@pytest.mark.parametrize("model", sampled(MODELS, every=4), ids=lambda model: model._meta.label)
def test_no_column_is_looked_up_that_no_filter_of_the_page_names(model: type[Model], rf: object) -> None:
    page = admin.site._registry[model]
    paths = set(columns(model)) - declared(page)
    assert "pk" not in paths
    assert paths
    for path in {*paths, "pk", "id"} - declared(page):
        for lookup in LOOKUPS:
            for value in ("", "a", "pbkdf2", "True", "2026"):
                assert not page.lookup_allowed(path + lookup, value, rf.get("/")), (path + lookup, value)  # type: ignore[attr-defined]


def secret_lookups() -> Iterator[tuple[type[Model], str]]:
    for model in MODELS:
        for path in sorted(set(columns(model, 1)) - declared(admin.site._registry[model])):
            if SECRETS.search(path):
                yield model, path


@pytest.mark.slow
def test_a_secret_column_answers_the_same_whatever_is_guessed(world: World) -> None:
    UserFactory(password="md5$salt$0123")
    asked = 0
    for number, (model, path) in enumerate(secret_lookups()):
        lookup = LOOKUPS[number % len(LOOKUPS)]
        guesses = ("md5", "zzz")
        urls = [f"{page_of(model, 'changelist')}?{path}{lookup}={guess}" for guess in guesses]
        assert [world.staff.get(url).status_code for url in urls] == [400, 400], urls
        asked += 1
    assert asked > 20


@pytest.mark.parametrize(
    "lookup", ["regex", "startswith", "gte", "contains", "exact", "iexact", "isnull", "in"]
)
def test_staff_guess_no_password(lookup: str, world: World) -> None:
    for path in (
        "accounts/user/?password",
        "orgs/membership/?user__password",
        "mfa/authenticator/?user__password",
    ):
        assert world.staff.get(f"/admin/{path}__{lookup}=md5").status_code == 400


def test_a_search_looks_only_where_the_page_says(world: World) -> None:
    """The search box takes words, not names of columns."""
    user = UserFactory(password="md5$findme$0123")
    assert User.objects.filter(password__contains="findme").exists()
    for words in ("findme", "password=findme", "password__contains:findme", "md5"):
        found = world.staff.get(page_of(User, "changelist"), {"q": words}).context["cl"].result_list
        assert user not in list(found)


@pytest.mark.parametrize("model", sampled(MODELS, every=4), ids=lambda model: model._meta.label)
def test_the_filters_and_dates_of_a_page_lead_somewhere(model: type[Model], world: World) -> None:
    url = page_of(model, "changelist")
    page = world.staff.get(url).content.decode()
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(\?[^"]+)"', page)}
    if declared(admin.site._registry[model]) - {"None"}:
        assert links
    for link in links:
        assert world.staff.get(url + link).status_code == 200, link


ODD_LISTS = [
    "id__exact=x",
    "pk=x",
    "state__exact=%ff",
    "state__isnull=x",
    "is_staff__exact=x",
    "created_at__gte=nonsense",
    "sent_at__year=99999",
    "sent_at__year=9999&sent_at__month=12",
    "sent_at__year=0",
    "sent_at__year=2026&sent_at__month=2&sent_at__day=31",
    "sent_at__month=2&sent_at__day=31",
    "sent_at__year=\u0662\u0660\u0662\u0666",
    "sent_at__year=2026&sent_at__year=x",
    "o=..",
    "o=-0.99.x.9" + "9" * 30,
    "p=-1",
    "p=0",
    "p=99999999999",
    "all=",
    "all=x",
    "_facets=True",
    "_popup=1&_to_field=password",
    "_to_field=id",
    "_changelist_filters=q%3D%2500",
    "q=%2500&e=1",
    "q=(((",
    "q=%22%27",
    "=",
]


@pytest.mark.slow
def test_an_odd_question_to_a_list_is_no_fault(world: World) -> None:
    lists = ["accounts/user/", "outbox/outgoingemail/", "account/emailaddress/"]
    for number, query in enumerate(ODD_LISTS):
        for path in ("invitations/invitation/", lists[number % len(lists)]):
            answer = send(world.staff, "GET", f"/admin/{path}", Hostile(query=query))
            assert answer.status in {200, 302, 400}, (path, query, answer.error)


SUGGESTIONS = [
    "",
    "term=a&app_label=x&model_name=y&field_name=z",
    "term=a&app_label=orgs&model_name=membership&field_name=user",
    "term=a&app_label=orgs&model_name=user&field_name=memberships",
    "term=a&app_label=orgs&model_name=user&field_name=password",
]


def test_no_form_asks_for_suggestions_so_there_are_none(world: World) -> None:
    assert not any(page.autocomplete_fields for page in admin.site._registry.values())
    for query in SUGGESTIONS:
        assert send(world.staff, "GET", "/admin/autocomplete/", Hostile(query=query)).status == 404


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_an_odd_id_is_no_fault_in_any_page_of_a_record(page: str, world: World) -> None:
    pieces = [hostile.piece for hostile in PIECES.values()]
    for number, model in enumerate(MODELS):
        for piece in ("a%00b", "a_00b", pieces[number % len(pieces)], pieces[(number + 7) % len(pieces)]):
            path = page_of(model, page, "PIECE").replace("PIECE", piece)
            answer = send(world.staff, "GET", path, Hostile())
            assert answer.status in {200, 302, 403, 404}, (path, answer.error)
            if "%00" in piece:
                assert answer.status == 404


@pytest.mark.parametrize(
    "path", ["1/1", "x/y", "9{30}/1", "1/00000000-0000-0000-0000-000000000000", "1/a%00b"]
)
def test_no_record_has_a_page_in_the_product_to_be_led_to(path: str, world: World) -> None:
    assert world.staff.get(f"/admin/r/{path}/").status_code == 404
    user_type = ContentType.objects.get_for_model(User)
    assert world.staff.get(f"/admin/r/{user_type.pk}/{User.objects.first().pk}/").status_code == 404  # type: ignore[union-attr]


def test_staff_change_their_password_on_the_portals_page(world: World) -> None:
    for path in ("password_change/", "password_change/done/"):
        for answer in (world.staff.get(f"/admin/{path}"), world.staff.post(f"/admin/{path}")):
            assert (answer.status_code, answer["Location"]) == (302, reverse("account_change_password"))
    answer = Client().get("/admin/password_change/")
    assert answer["Location"].startswith(reverse("admin:login"))
    passwords = {
        "oldpassword": "correct horse battery",
        "password1": "a quite new pass",
        "password2": "a quite new pass",
    }
    before = OutgoingEmail.objects.count()
    world.staff.post(reverse("account_change_password"), passwords)
    assert OutgoingEmail.objects.count() == before + 1


def test_staff_sign_out_by_the_portals_page(world: World) -> None:
    answer = world.staff.post(reverse("admin:logout"))
    assert answer.status_code == 302
    assert "_auth_user_id" not in world.staff.session
    assert world.staff.get(reverse("admin:index")).status_code == 302
