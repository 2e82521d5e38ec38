"""What support staff need beyond each app's admin.py."""
