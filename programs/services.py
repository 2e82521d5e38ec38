"""The verbs of connected programs, one transaction each. A verb comes in by ``acting``."""

import uuid

from allauth.idp.oidc.models import Client, Token
from django.db import transaction

from accounts.models import display_name
from audit.services import Actor
from orgs.acting import Act, MembersAct, acting
from orgs.models import Membership
from orgs.policy import Permission, may
from programs import actions
from programs.credentials import credentials_of
from programs.models import Connection, DeviceRequest


def allow(*, actor: Membership, client: Client) -> Connection:
    """Let a program read billing. One that may already stays as it is.

    Raises Denied and Membership.DoesNotExist.
    """
    with acting(actor, Permission.BILLING_VIEW) as act:
        return _connect(act, client)


def allow_device(*, actor: Membership, request_id: uuid.UUID) -> Connection:
    """The same for a program on a device that waits.

    Raises DeviceRequest.DoesNotExist besides: it was answered, or too late.
    """
    with acting(actor, Permission.BILLING_VIEW) as act:
        device = _locked(request_id)
        device.connection = _connect(act, device.client)
        device.save(update_fields=["connection"])
        return device.connection


def deny_device(request_id: uuid.UUID) -> None:
    """Raises DeviceRequest.DoesNotExist."""
    with transaction.atomic():
        device = _locked(request_id)
        device.denied = True
        device.save(update_fields=["denied"])


def _locked(request_id: uuid.UUID) -> DeviceRequest:
    devices = DeviceRequest.objects.waiting().select_related("client")
    return devices.select_for_update(of=("self",)).get(pk=request_id)


def _connect(act: MembersAct, client: Client) -> Connection:
    connection, is_new = Connection.objects.get_or_create(client=client, membership=act.membership)
    if is_new:
        act.record(actions.ALLOWED, target=(client.pk, client.name))
    return connection


def disconnect(*, actor: Membership, connection_id: uuid.UUID) -> None:
    """End a connection of one's own, with its tokens, at once.

    Raises Connection.DoesNotExist and Membership.DoesNotExist.
    """
    with acting(actor, Permission.ORGANIZATION_VIEW) as act:
        connection = Connection.objects.select_related("client").get(
            pk=connection_id, membership=act.membership
        )
        act.record(actions.REVOKED, target=(connection.client_id, connection.name))
        _end(connection)


def end_connections_without_right(membership: Membership) -> None:
    """End those of a person who may no longer see billing. Call it with the organization locked."""
    if not may(membership, Permission.BILLING_VIEW):
        end_connections(membership)


def end_connections(membership: Membership) -> None:
    """End a person's connections, in the portal's name. Call it with the organization locked."""
    portal = Act(membership.organization, Actor.system())
    for connection in membership.connections.select_related("client"):
        owner = display_name(membership.user)
        portal.record(actions.ENDED, target=(connection.client_id, connection.name), owner=owner)
        _end(connection)


def _end(connection: Connection) -> None:
    credentials_of(connection).delete()
    connection.delete()


def delete_old() -> None:
    """Codes and tokens that have expired, and sign-ins of devices that nobody waits for."""
    Token.objects.expired().delete()
    DeviceRequest.objects.old().delete()
