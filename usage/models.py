"""Stacks, their hourly counts, and the roll-ups per organization.

An hour is a UTC clock hour, named by its beginning; a resource that existed at any moment of it counts 1.
"""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.validators import validate_display_name
from orgs.models import Organization

LONGEST_LABEL = 50


class Stack(models.Model):
    """A set of resources that the product manages together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="stacks",
        db_index=False,
    )
    name = models.CharField(_("name"), max_length=100)
    cost_label = models.CharField(
        _("cost label"),
        max_length=LONGEST_LABEL,
        blank=True,
        db_default="",
        validators=[validate_display_name],
    )
    created_at = models.DateTimeField(_("first seen"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("stack")
        verbose_name_plural = _("stacks")
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="stack_name_unique"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "cost_label"],
                condition=~models.Q(cost_label=""),
                name="stack_labeled",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class HourlyCount(models.Model):
    """Resources of one stack in one hour. The table is partitioned by month: see usage/partitions.py."""

    pk = models.CompositePrimaryKey("organization_id", "hour", "stack_id")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    # Stacks aren't deleted but with their organization, so no index leads from a stack to its counts.
    stack = models.ForeignKey(Stack, on_delete=models.CASCADE, related_name="+", db_index=False)
    resources = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.stack_id} at {self.hour:%Y-%m-%d %H}: {self.resources}"


class OrganizationHour(models.Model):
    """Resources of all stacks of an organization in one hour."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    hour = models.DateTimeField(_("hour"))
    resources = models.PositiveBigIntegerField(_("resources"))

    class Meta:
        verbose_name = _("hour of an organization")
        verbose_name_plural = _("hours of organizations")
        constraints = [
            models.UniqueConstraint(fields=["organization", "hour"], name="organization_hour_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.resources}"


class LabelHour(models.Model):
    """Resources of all stacks with one cost label in one hour. What has no label is the rest of the hour."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    hour = models.DateTimeField(_("hour"))
    label = models.CharField(_("cost label"), max_length=LONGEST_LABEL)
    resources = models.PositiveBigIntegerField(_("resources"))

    class Meta:
        verbose_name = _("hour of a cost label")
        verbose_name_plural = _("hours of cost labels")
        constraints = [
            models.UniqueConstraint(fields=["organization", "hour", "label"], name="label_hour_unique"),
            models.CheckConstraint(condition=~models.Q(label=""), name="label_hour_named"),
        ]

    def __str__(self) -> str:
        return f"{self.label}, {self.hour:%Y-%m-%d %H}: {self.resources}"


class OrganizationDay(models.Model):
    """Resource hours of an organization on one UTC day, and how many of its hours were counted."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organization"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    day = models.DateField(_("day"))
    resource_hours = models.PositiveBigIntegerField(_("resource hours"))
    hours_counted = models.PositiveSmallIntegerField(_("hours counted"))

    class Meta:
        verbose_name = _("day of an organization")
        verbose_name_plural = _("days of organizations")
        constraints = [
            models.UniqueConstraint(fields=["organization", "day"], name="organization_day_unique"),
            models.CheckConstraint(
                condition=models.Q(hours_counted__gte=1, hours_counted__lte=24), name="organization_day_hours"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.resource_hours}"
