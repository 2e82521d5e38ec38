from celery import shared_task

from api.models import KeptAnswer


@shared_task(name="api.forget_answers")
def forget_answers() -> None:
    """Delete the answers that nobody may ask for again."""
    KeptAnswer.objects.old().delete()
