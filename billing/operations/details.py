"""Changing the billing details. Stripe's customer is the store; each change is one call, done or not done."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.registry import Action, Datum
from audit.services import record
from billing import gateway
from billing.actions import DETAILS_CHANGED, TAX_ID_ADDED, TAX_ID_REMOVED
from billing.details import PARTS, TAX_ID, changed_at_stripe, details_of
from billing.mirror.customers import write_customer
from billing.mirror.rows import next_fetch_number
from billing.models import BillingAccount, OperationKind, OperationState, StripeOperation
from billing.models.operations import FIRST_STEP
from billing.notices import tell_of_changed_details
from billing.operations.customers import ensure_customer
from billing.operations.life import fail, finish, key_expired, new_operation, register, renew_key, resume
from billing.operations.people import person_of
from orgs.acting import MembersAct, acting
from orgs.errors import PageOutdated, Refused
from orgs.models import Membership
from orgs.policy import Permission
from orgs.services import Change


def update_details(*, actor: Membership, changes: Mapping[str, Change]) -> StripeOperation | None:
    """Change parts of the details, by the codes of ``PARTS``: all of them, or none.

    Returns the operation; it is pending where Stripe doesn't answer, and goes on by itself; None: nothing had
    to be asked of Stripe. Raises Denied, PageOutdated when a part was changed since the person saw it, and
    Refused.
    """
    with gateway.person_waits():
        if changes.keys() - {"copies_to"}:
            _ensure_customer(actor)
        operation = _begin_update(actor, changes)
        return operation and resume(operation.pk)


def add_tax_id(*, actor: Membership, type_: str, value: str) -> StripeOperation:
    """Put a tax id on coming invoices. Otherwise like ``update_details``."""
    with gateway.person_waits():
        _ensure_customer(actor)
        with acting(actor, Permission.BILLING_DETAILS_UPDATE) as act:
            account = BillingAccount.objects.locked(act.organization)
            if any(_is_same(one, type_, value) for one in account.tax_ids):
                raise Refused(_("This tax id is saved already."))
            params = {"type": type_, "value": value}
            operation = _unfinished(act, OperationKind.ADD_TAX_ID, params) or _begin(
                act, account, OperationKind.ADD_TAX_ID, params
            )
        return resume(operation.pk)


def remove_tax_id(*, actor: Membership, tax_id: str) -> StripeOperation:
    """Take a tax id off coming invoices, by Stripe's id of it. Raises LookupError where there is none."""
    with gateway.person_waits():
        with acting(actor, Permission.BILLING_DETAILS_UPDATE) as act:
            account = BillingAccount.objects.locked(act.organization)
            found = next((one for one in account.tax_ids if one["id"] == tax_id), None)
            if found is None:
                raise LookupError(tax_id)
            params = {"tax_id": tax_id, "value": found["value"]}
            operation = _unfinished(act, OperationKind.REMOVE_TAX_ID, params) or _begin(
                act, account, OperationKind.REMOVE_TAX_ID, params
            )
        return resume(operation.pk)


def _ensure_customer(actor: Membership) -> None:
    """Raises Refused: without a customer there is nothing to change, and nothing goes on by itself."""
    try:
        ensure_customer(actor=actor, permission=Permission.BILLING_DETAILS_UPDATE)
    except gateway.GatewayUnavailable:
        raise Refused(
            _("Stripe does not answer right now. Nothing was changed. Try again in a minute.")
        ) from None
    except gateway.GatewayRefused:
        raise Refused(
            _("Stripe did not accept the change. Nothing was changed. Write to %(address)s.")
            % {"address": settings.SUPPORT_EMAIL}
        ) from None


def _begin_update(actor: Membership, changes: Mapping[str, Change]) -> StripeOperation | None:
    with acting(actor, Permission.BILLING_DETAILS_UPDATE) as act:
        account = BillingAccount.objects.locked(act.organization)
        now = details_of(account)
        outdated = [name for name, change in changes.items() if now[name] not in (change.seen, change.wanted)]
        if outdated:
            raise PageOutdated(_outdated_words(outdated))
        wanted = {name: change.wanted for name, change in changes.items() if change.wanted != now[name]}
        params = {"change": changed_at_stripe(account, wanted), "wanted": wanted}
        begun = _unfinished(act, OperationKind.UPDATE_DETAILS, {})
        if begun is not None:
            if begun.params["wanted"] == wanted:
                return begun
            raise Refused(_("An earlier change is still on its way to Stripe. Try again in a minute."))
        if params["change"]:
            return _begin(act, account, OperationKind.UPDATE_DETAILS, params)
        if wanted:
            _keep_own(account, wanted)
            event = act.record(DETAILS_CHANGED, parts=",".join(wanted))
            tell_of_changed_details(act.organization, event, wanted)
        return None


def _outdated_words(parts: list[str]) -> str:
    names = ", ".join(str(PARTS[part]) for part in parts)
    return _(
        "Somebody else changed this meanwhile: %(parts)s. Nothing was saved. "
        "Look at the details as they are now, then save again."
    ) % {"parts": names}


def _unfinished(act: MembersAct, kind: OperationKind, params: dict[str, Any]) -> StripeOperation | None:
    """The same that somebody has asked for already: pressed twice, or while Stripe didn't answer."""
    pending = StripeOperation.objects.for_org(act.organization).pending()
    return pending.filter(kind=kind, params__contains=params).first()


def _begin(
    act: MembersAct, account: BillingAccount, kind: OperationKind, params: dict[str, Any]
) -> StripeOperation:
    operation = new_operation(kind=kind, actor=act.membership)
    operation.params = {"customer": account.stripe_customer_id, **params}
    operation.save(force_insert=True)
    return operation


def _is_same(saved: Mapping[str, str], type_: str, value: str) -> bool:
    return saved["type"] == type_ and _plain(saved["value"]) == _plain(value)


def _plain(value: str) -> str:
    """Without what people put between the digits."""
    return "".join(letter for letter in value.upper() if letter.isalnum())


def _update(operation: StripeOperation) -> None:
    if key_expired(operation):
        renew_key(operation)
    try:
        gateway.update_customer(
            customer_id=operation.params["customer"],
            params=operation.params["change"],
            idempotency_key=operation.idempotency_key,
        )
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayRefused as error:
        _note_refusal(operation, error)
    else:
        wanted = operation.params["wanted"]
        _note(operation, DETAILS_CHANGED, changed=wanted, parts=",".join(wanted))


def _add(operation: StripeOperation) -> None:
    """Once only: what was added without an answer is found by its value."""
    customer_id, type_, value = (operation.params[name] for name in ("customer", "type", "value"))
    if key_expired(operation):
        saved = gateway.customer(customer_id).tax_ids
        if any(_is_same({"type": one.type, "value": one.value}, type_, value) for one in saved):
            _note(operation, TAX_ID_ADDED, changed=[TAX_ID], tax_id=value)
            return
        renew_key(operation)
    try:
        gateway.add_tax_id(
            customer_id=customer_id, type_=type_, value=value, idempotency_key=operation.idempotency_key
        )
    except gateway.GatewayForbidden:
        raise
    except gateway.GatewayRefused as error:
        _note_refusal(operation, error)
    else:
        _note(operation, TAX_ID_ADDED, changed=[TAX_ID], tax_id=value)


def _remove(operation: StripeOperation) -> None:
    if key_expired(operation):
        renew_key(operation)
    # One that is missing is gone already.
    with suppress(gateway.GatewayMissing):
        gateway.remove_tax_id(
            customer_id=operation.params["customer"],
            tax_id=operation.params["tax_id"],
            idempotency_key=operation.idempotency_key,
        )
    _note(operation, TAX_ID_REMOVED, changed=[TAX_ID], tax_id=operation.params["value"])


def _note_refusal(operation: StripeOperation, error: gateway.GatewayRefused) -> None:
    """What Stripe did not accept, for the person to mend: pages word it."""
    result = {"reason": error.code, "param": error.param}
    fail(operation, result, error=str(error))


def _note(operation: StripeOperation, action: Action, *, changed: Iterable[str], **data: Datum) -> None:
    """Write down the customer as they are now, and that it was done. ``changed``: which parts."""
    number = next_fetch_number()
    customer = gateway.customer(operation.params["customer"])
    with transaction.atomic():
        account = BillingAccount.objects.locked_of(operation.organization_id)
        if account.stripe_customer_id == customer.id:
            write_customer(account, customer, number)
        _keep_own(account, operation.params.get("wanted", {}))
        event = record(
            action,
            actor=person_of(operation),
            organization=account.organization,
            target=(operation.pk, ""),
            **data,
        )
        tell_of_changed_details(account.organization, event, changed)
        finish(operation, state=OperationState.DONE)


def _keep_own(account: BillingAccount, wanted: Mapping[str, Any]) -> None:
    """What Stripe has no place for."""
    if "copies_to" in wanted:
        account.copies_to = wanted["copies_to"]
        account.save(update_fields=["copies_to"])


register(OperationKind.UPDATE_DETAILS, steps={FIRST_STEP: _update})
register(OperationKind.ADD_TAX_ID, steps={FIRST_STEP: _add})
register(OperationKind.REMOVE_TAX_ID, steps={FIRST_STEP: _remove})
