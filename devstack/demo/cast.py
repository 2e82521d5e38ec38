"""Who and what is in the demo. Tests and people rely on the addresses, slugs and editions."""

from dataclasses import dataclass

PASSWORD = "demo-password"


@dataclass(frozen=True)
class DemoPerson:
    name: str
    email: str


@dataclass(frozen=True)
class DemoStack:
    """``resources``: how many at first. ``growth``: percent in 30 days. ``by_day``: only in working hours."""

    name: str
    resources: int
    growth: int = 0
    by_day: bool = False


@dataclass(frozen=True)
class DemoTeam:
    name: str
    description: str
    people: tuple[DemoPerson, ...]


@dataclass(frozen=True, kw_only=True)
class DemoOrganization:
    """``founded_as``: the name at first, which gives the slug. ``admins``: the founder first.

    ``auditors``: see billing for a time, and change nothing.
    """

    slug: str
    name: str
    founded_as: str
    edition: str
    seats: int | None = None
    admins: tuple[DemoPerson, ...]
    members: tuple[DemoPerson, ...] = ()
    billing_managers: tuple[DemoPerson, ...] = ()
    auditors: tuple[DemoPerson, ...] = ()
    invited: tuple[str, ...] = ()
    teams: tuple[DemoTeam, ...] = ()
    stacks: tuple[DemoStack, ...]
    months_of_usage: int = 2


ADA = DemoPerson("Ada Moreno", "admin@acme.test")
MILO = DemoPerson("Milo Tanaka", "member@acme.test")
BILAL = DemoPerson("Bilal Haddad", "billing@globex.test")
SUPPORT = DemoPerson("Sofia Brandt", "support@portal.test")

ACME = DemoOrganization(
    slug="acme",
    name="Acme Robotics",
    founded_as="Acme",
    edition="team-growth",
    admins=(ADA,),
    members=(MILO,),
    teams=(
        DemoTeam("Platform", "Runs the clusters and the network.", (ADA, MILO)),
        DemoTeam("Website", "", (MILO,)),
    ),
    stacks=(
        DemoStack("fleet-api/production", 86, growth=16),
        DemoStack("fleet-api/staging", 52, growth=8, by_day=True),
        DemoStack("telemetry/production", 74, growth=22),
        DemoStack("website/production", 38),
        DemoStack("network/shared", 29),
    ),
    months_of_usage=4,
)
GLOBEX = DemoOrganization(
    slug="globex",
    name="Globex",
    founded_as="Globex",
    edition="enterprise-growth",
    admins=(
        DemoPerson("Grace Okafor", "admin@globex.test"),
        DemoPerson("Hana Sato", "hana.sato@globex.test"),
    ),
    members=(
        DemoPerson("Jonas Weber", "jonas.weber@globex.test"),
        DemoPerson("Priya Nair", "priya.nair@globex.test"),
        DemoPerson("Lucía Ferrer", "lucia.ferrer@globex.test"),
        DemoPerson("Owen Clarke", "owen.clarke@globex.test"),
    ),
    billing_managers=(BILAL,),
    stacks=(
        DemoStack("checkout/production-eu", 214, growth=4),
        DemoStack("checkout/production-us", 231, growth=4),
        DemoStack("checkout/staging", 120, by_day=True),
        DemoStack("catalog/production-eu", 143, growth=3),
        DemoStack("catalog/production-us", 149, growth=3),
        DemoStack("catalog/staging", 88, by_day=True),
        DemoStack("data-lake/production", 176, growth=9),
        DemoStack("identity/production", 67),
        DemoStack("network/eu-central-1", 95),
        DemoStack("network/us-east-1", 101),
        DemoStack("observability/shared", 83, growth=5),
        DemoStack("previews/pull-requests", 140, by_day=True),
    ),
)
INITECH = DemoOrganization(
    slug="initech",
    name="Initech",
    founded_as="Initech",
    edition="team-pro",
    seats=12,
    admins=(DemoPerson("Irene Kowalski", "admin@initech.test"),),
    members=(
        DemoPerson("Peter Lindqvist", "peter.lindqvist@initech.test"),
        DemoPerson("Samira Aziz", "samira.aziz@initech.test"),
        DemoPerson("Michael Osei", "michael.osei@initech.test"),
        DemoPerson("Joana Silva", "joana.silva@initech.test"),
        DemoPerson("Tom Reyes", "tom.reyes@initech.test"),
        DemoPerson("Mei Lin", "mei.lin@initech.test"),
    ),
    invited=("drew.hall@initech.test",),
    stacks=(
        DemoStack("reports/production", 61, growth=2),
        DemoStack("reports/staging", 44, by_day=True),
        DemoStack("ledger/production", 57),
        DemoStack("office-network", 23),
    ),
)
HOOLI = DemoOrganization(
    slug="hooli",
    name="Hooli",
    founded_as="Hooli",
    edition="business-critical",
    admins=(DemoPerson("Henrik Dahl", "admin@hooli.test"),),
    members=(
        DemoPerson("Nadia Petrova", "nadia.petrova@hooli.test"),
        DemoPerson("Caleb Stone", "caleb.stone@hooli.test"),
    ),
    billing_managers=(BILAL,),
    auditors=(DemoPerson("Noor Aydin", "auditor@hooli.test"),),
    stacks=(
        DemoStack("search/production-eu", 388, growth=6),
        DemoStack("search/production-us", 415, growth=6),
        DemoStack("search/production-ap", 352, growth=7),
        DemoStack("mail/production-eu", 267),
        DemoStack("mail/production-us", 281),
        DemoStack("video/production", 324, growth=11),
        DemoStack("video/encoding", 190, by_day=True),
        DemoStack("compliance/vault", 72),
        DemoStack("network/backbone", 158),
        DemoStack("previews/pull-requests", 260, by_day=True),
    ),
)

ORGANIZATIONS = (ACME, GLOBEX, INITECH, HOOLI)
