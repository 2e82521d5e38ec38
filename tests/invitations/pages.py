"""Reading answers."""

from django.http import HttpResponse


def text(response: HttpResponse) -> str:
    """The body with all white space made one space."""
    return " ".join(response.content.decode().split())
