"""Our own pages in the admin, beside the records that Django shows. The site puts its gate before each."""

from dataclasses import dataclass

from accounts.access import GatedView
from support.acts import ACTS
from support.acts.view import act_view
from support.admin_request_views import admin_requests
from support.count_views import count, count_file
from support.merging import merge
from support.on_demand import on_demand
from support.queue_views import queues
from support.session_views import session_end, staff_session
from support.views import credits_given, organization, person


@dataclass(frozen=True)
class Page:
    """``name``: in the namespace ``admin``."""

    route: str
    view: GatedView
    name: str


PAGES = [
    Page("session/", staff_session, "staff_session"),
    Page("session/end/", session_end, "staff_session_end"),
    Page("organizations/<uuid:organization_id>/", organization, "support_organization"),
    Page("organizations/<uuid:organization_id>/credits/", credits_given, "support_credits"),
    Page("people/<uuid:user_id>/", person, "support_person"),
    Page("admin-requests/", admin_requests, "admin_requests"),
    Page("merge/<str:key>/", merge, "merge"),
    Page("on-demand/", on_demand, "on_demand"),
    Page("queues/", queues, "support_queues"),
    Page("count/", count, "support_count"),
    Page("count/file/", count_file, "support_count_file"),
    *(Page(f"acts/{act.name}/<str:key>/", act_view(act), act.url_name) for act in ACTS.values()),
]
