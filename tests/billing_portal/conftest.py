from tests.outbox.conftest import put

__all__ = ["put"]
