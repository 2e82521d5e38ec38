from tests.outbox.conftest import _notes, put

__all__ = ["_notes", "put"]
