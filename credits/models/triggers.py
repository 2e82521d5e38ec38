"""What the database holds the ledger's rows to."""

import pgtrigger

OF_ONE_ORGANIZATION = """
    IF NOT EXISTS (
        SELECT FROM credits_grant WHERE id = NEW.grant_id AND organization_id = NEW.organization_id
    ) THEN
        RAISE EXCEPTION 'An entry is about a grant of its own organization.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'grant_of_one_organization';
    END IF;
    RETURN NEW;
"""


def append_only() -> pgtrigger.Trigger:
    return pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


def of_one_organization() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="of_one_organization",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Q(new__grant__isnull=False),
        func=OF_ONE_ORGANIZATION,
    )
