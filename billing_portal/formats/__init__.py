"""How Django writes what it formats by itself: the records in the admin."""
