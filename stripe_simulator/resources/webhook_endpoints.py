"""The one webhook endpoint, as set on the command line or the control port: all events, this API version.

https://docs.stripe.com/api/webhook_endpoints
"""

from typing import Any

from stripe_simulator.endpoints import endpoint
from stripe_simulator.paging import as_list
from stripe_simulator.simulator import API_VERSION, Simulator

Json = dict[str, Any]


@endpoint("webhook_endpoints.list")
def list_endpoints(simulator: Simulator, _params: Json) -> Json:
    url = simulator.store.setting("webhook_url", None)
    made = simulator.new(
        "webhook_endpoint",
        "we",
        api_version=API_VERSION,
        application=None,
        description=None,
        enabled_events=["*"],
        metadata={},
        status="enabled",
        url=url,
    )
    return as_list([{**made, "id": "we_simulated"}] if url else [], "/v1/webhook_endpoints")
