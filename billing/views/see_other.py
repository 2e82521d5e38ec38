"""The answer to a press that leads elsewhere."""

from django.http import HttpResponseRedirect


class HttpResponseSeeOther(HttpResponseRedirect):
    """To another page by GET, after a POST (RFC 9110, 15.4.4)."""

    status_code = 303
