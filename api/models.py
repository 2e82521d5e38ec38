"""Answers to writes, kept for who asks again with the same key."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

KEPT_FOR = timedelta(hours=24)


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    def old(self) -> "KeptAnswerQuerySet":
        return self.filter(created_at__lt=timezone.now() - KEPT_FOR)


class KeptAnswer(models.Model):
    """What a write answered. ``principal_id``: of the token, or of the person in a session.

    ``fingerprint``: of the request, so that a key used for another one is noticed.
    """

    id = models.BigAutoField(primary_key=True)
    principal_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[KeptAnswerQuerySet] = KeptAnswerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints = [
            models.UniqueConstraint(fields=["principal_id", "key"], name="keptanswer_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="keptanswer_created")]

    def __str__(self) -> str:
        return self.key
