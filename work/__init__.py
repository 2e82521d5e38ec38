"""Rows of work that workers lease, retry and sweep, and the doorbell that calls the workers."""
