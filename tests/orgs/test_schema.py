"""What an organization has can lie with it, as docs/scaling.md says: tables, unique keys and references, as
they are in the database.
"""

from typing import Any

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

ORGANIZATIONS = "orgs_organization"
# Of people, who belong to several organizations: on each node in whole.
PEOPLE = "accounts_user"

# Tables without the organization, which is that of the one row that they hang on.
BY_PARENT = {
    "hooks_delivery": "hooks_endpoint",
    "invitations_invitation_holders": "invitations_invitation",
    "orgs_accessrequest": "orgs_membership",
    "programs_connection": "orgs_membership",
    "programs_devicerequest": "programs_connection",
    "teams_teammembership": "orgs_membership",
}
# Unique keys without it. Where rows are spread by organization, each holds within one organization only.
WITHOUT_ORGANIZATION = {
    "Stripe's ids are unique at Stripe. A webhook finds its organization by the customer's.": {
        "billing_billingaccount_stripe_customer_id_key",
        "billing_invoice_stripe_id_key",
        "billing_ondemanditem_stripe_id_key",
        "billing_paymentmethod_stripe_id_key",
        "billing_stripecustomer_pkey",
        "billing_subscription_stripe_id_key",
        "operation_one_payment_of_invoice",
    },
    "Chance makes it unique, or a hash of what chance made. Who looks for it knows no organization.": {
        "billing_stripeoperation_idempotency_key_key",
        "outbox_outgoingemail_dedupe_key_key",
        "tokens_accesstoken_digest_key",
    },
    "It names a row by its uuid, which is of the same organization.": {
        "credits_voiding_grant_id_key",
    },
    "It is counted up for all organizations together; the organization goes in front of it.": {
        "audit_auditevent_pkey",
        "billing_reachedthreshold_pkey",
        "credits_entry_pkey",
        "usage_labelhour_pkey",
        "usage_organizationday_pkey",
        "usage_organizationhour_pkey",
    },
}

TABLES = """
SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
AND relkind IN ('r', 'p') AND NOT relispartition AND EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'organization_id'
)
"""
UNIQUE_KEYS = """
SELECT indrelid::regclass::text, indexrelid::regclass::text, indisprimary, array(
    SELECT attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = indrelid AND attnum = ANY(indkey)
) FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE indisunique AND relnamespace = 'public'::regnamespace AND NOT relispartition
"""
REFERENCES = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND conparentid = 0
"""


def rows(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def owned() -> set[str]:
    """The tables whose rows name their organization."""
    return {table for (table,) in rows(TABLES)}


def keys_without_organization() -> set[str]:
    """A primary key that is a uuid alone stays unique wherever its row lies."""
    return {
        key
        for table, key, is_primary, columns in rows(UNIQUE_KEYS)
        if table in owned()
        and "organization_id uuid" not in columns
        and not (is_primary and columns == ["id uuid"])
    }


def references_beyond_the_organization() -> set[tuple[str, str]]:
    """Of rows that name their organization, to rows that don't."""
    known = {*owned(), ORGANIZATIONS, PEOPLE}
    return {(table, to) for table, to in rows(REFERENCES) if table in owned() and to not in known}


def tables_that_hang_on_others() -> set[str]:
    """Those that refer to what an organization has, and don't name it."""
    found: set[str] = set()
    while more := {table for table, to in rows(REFERENCES) if to in {*owned(), *found, ORGANIZATIONS}} - {
        *owned(),
        *found,
    }:
        found |= more
    return found


def test_a_table_names_its_organization_or_hangs_on_one_row_that_does() -> None:
    assert tables_that_hang_on_others() == set(BY_PARENT)
    assert set(BY_PARENT.items()) <= set(rows(REFERENCES))


def test_unique_keys_hold_the_organization() -> None:
    assert keys_without_organization() == set().union(*WITHOUT_ORGANIZATION.values())


def test_what_an_organization_has_refers_to_its_own_and_to_people() -> None:
    assert references_beyond_the_organization() == set()


def test_a_table_that_does_not_keep_to_it_is_found() -> None:
    """Else the rules above would hold for anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE made_up (id bigint PRIMARY KEY, name text UNIQUE, organization_id uuid NOT NULL,"
            " delivery_id uuid REFERENCES hooks_delivery);"
            "CREATE TABLE hanging (id uuid PRIMARY KEY, stack_id uuid REFERENCES usage_stack)"
        )
    found = keys_without_organization() - set().union(*WITHOUT_ORGANIZATION.values())
    assert found == {"made_up_pkey", "made_up_name_key"}
    assert references_beyond_the_organization() == {("made_up", "hooks_delivery")}
    assert tables_that_hang_on_others() - set(BY_PARENT) == {"hanging"}
