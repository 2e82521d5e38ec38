"""Whether the API keeps to its OpenAPI document whatever is sent."""

import pytest
import schemathesis

from tests.api.document import SCHEMA, keeps_to_it, tried

pytestmark = pytest.mark.django_db


@pytest.mark.slow
@SCHEMA.parametrize()
@tried(40)
def test_the_api_keeps_to_its_document_whatever_is_sent(
    case: schemathesis.Case, secrets: tuple[str, ...]
) -> None:
    keeps_to_it(case, secrets)
