"""English: a time names its zone."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i e"
