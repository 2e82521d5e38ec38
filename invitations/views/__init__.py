"""Pages of the invited (``invitee``), and of those who invite (``organization``)."""
