"""Makes the demo's data. Again it only adds what is missing, such as the usage since."""

from devstack.demo import history, organizations, people, trouble, usage
from devstack.demo.cast import ORGANIZATIONS


def load() -> None:
    accounts = people.ensure_people()
    founded = [organizations.ensure_organization(cast, accounts) for cast in ORGANIZATIONS]
    for organization, cast in zip(founded, ORGANIZATIONS, strict=True):
        usage.bring_up_to_now(organization, cast)
    history.ensure_history()
    trouble.ensure_trouble(founded[0])
    trouble.ensure_counts()
