"""The verbs of connected programs, one transaction each. A verb comes in by ``acting``."""

import uuid

from allauth.idp.oidc.models import Client, Token
from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import User, display_name
from audit.services import Actor
from orgs.acting import Act, MembersAct, acting, acting_as
from orgs.models import Membership
from orgs.policy import Permission, may
from programs import actions
from programs.credentials import credentials_of, without_credentials
from programs.mails import PROGRAM_ALLOWED_MAIL, PROGRAM_DISCONNECTED_MAIL
from programs.models import Connection, ConnectionQuerySet, DeviceRequest, Ending
from tokens.models import AccessToken
from tokens.models import Ending as TokenEnding
from tokens.services import end_tokens


def allow(*, actor: Membership, client: Client) -> Connection:
    """Let a program read billing. For one that may already this is another sign-in, on the same connection.

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
    connection = Connection.objects.get_or_create(client=client, membership=act.membership)[0]
    event = act.record(actions.ALLOWED, target=(client.pk, client.name))
    act.mail(
        PROGRAM_ALLOWED_MAIL,
        to=act.membership.user.email,
        dedupe_key=f"program_allowed:{event.pk}",
        program=client.name,
    )
    return connection


def disconnect(*, actor: Membership, connection_id: uuid.UUID) -> None:
    """End a connection with its tokens, at once: one's own, or any for those who manage all access tokens.

    Raises Denied, Connection.DoesNotExist and Membership.DoesNotExist.
    """
    with acting(actor, Permission.ORGANIZATION_VIEW) as act:
        connection = Connection.objects.for_org(act.organization).with_people().get(pk=connection_id)
        person = connection.membership
        own = person.pk == act.membership.pk
        if not own:
            act.ensure(Permission.ACCESS_TOKENS_MANAGE)
        event = act.record(
            actions.REVOKED,
            target=(connection.client_id, connection.name),
            owner=display_name(person.user),
        )
        if not own:
            act.mail(
                PROGRAM_DISCONNECTED_MAIL,
                to=person.user.email,
                dedupe_key=f"program_disconnected:{event.pk}",
                program=connection.name,
            )
        _end(connection)


def end_connections_without_right(membership: Membership) -> None:
    """End those of a person who may no longer see billing. Call it with the organization locked."""
    if not may(membership, Permission.BILLING_VIEW):
        end_connections(membership, Ending.RIGHT)


def end_credentials_of(person: User) -> None:
    """End the personal access tokens and connections of a person whose password changes, in whatever
    organization. Who knew the old password may have made some of them.
    """
    theirs = OuterRef("pk")
    tokens = AccessToken.objects.filter(membership=theirs)
    connections = Connection.objects.filter(membership=theirs)
    # In one order, as several organizations are locked.
    holding = Membership.objects.filter(Exists(tokens) | Exists(connections), user=person)
    for found in holding.select_related("organization", "user").order_by("organization_id"):
        with acting_as(Actor.system(), found.organization_id):
            end_tokens(found, TokenEnding.PASSWORD)
            end_connections(found, Ending.PASSWORD)


def end_connections(membership: Membership, reason: Ending) -> None:
    """End a person's connections, in the portal's name. Call it with the organization locked."""
    portal = Act(membership.organization, Actor.system())
    for connection in membership.connections.with_people():
        _end_as(portal, connection, reason)


def end_unused_connections() -> None:
    """End those whose program signed out, or let its tokens expire: the pages would tell that it can read."""
    _end_each(without_credentials(Connection.objects.all()), Ending.UNUSED)


def remove_program(client: Client) -> None:
    """End all that people let a program do, and forget it. Nobody can connect it any more."""
    _end_each(Connection.objects.filter(client=client), Ending.PROGRAM)
    # With what was allowed meanwhile, untold.
    client.delete()


def _end_each(connections: ConnectionQuerySet, reason: Ending) -> None:
    for found in connections.with_people():
        with acting_as(Actor.system(), found.membership.organization_id) as portal:
            # It may have changed before the lock.
            if connections.filter(pk=found.pk).exists():
                _end_as(portal, found, reason)


def _end_as(portal: Act, connection: Connection, reason: Ending) -> None:
    portal.record(
        actions.ENDED,
        target=(connection.client_id, connection.name),
        owner=display_name(connection.membership.user),
        reason=reason.value,
    )
    _end(connection)


def _end(connection: Connection) -> None:
    credentials_of(connection).delete()
    connection.delete()


def delete_old() -> None:
    """Codes and tokens that have expired, sign-ins of devices that nobody waits for, what is unused then."""
    Token.objects.expired().delete()
    DeviceRequest.objects.old().delete()
    end_unused_connections()
