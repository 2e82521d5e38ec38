"""News of the audit log, for an app above that passes it on.

A receiver runs inside the transaction of the act, under its locks; what it raises undoes the act.
"""

from django.dispatch import Signal

# event: AuditEvent; it was appended.
event_recorded = Signal()
