"""When the cloud answered, by its own clock."""

from datetime import datetime
from email.utils import parsedate_to_datetime


def date_of(headers: object) -> datetime | None:
    """Return the `Date` of an answer's headers, cut to the second; None where it is missing or says no time."""
    if not isinstance(headers, dict):
        return None
    text = next((value for key, value in headers.items() if str(key).lower() == "date"), "")
    try:
        date = parsedate_to_datetime(str(text))
    except (TypeError, ValueError, OverflowError):
        return None
    return date if date.tzinfo else None
