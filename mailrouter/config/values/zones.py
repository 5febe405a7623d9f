"""Time zones as people write them."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from mailrouter.config.values.errors import Wrong, did_you_mean, shown


def time_zone(text: str) -> ZoneInfo:
    """A zone of the tz database by its place. Raises Wrong.

    ``EST`` and its like are refused although the database has them: they are zones without daylight saving
    time, which is never what is meant.
    """
    if "/" in text or text == "UTC":
        try:
            return ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # OSError: the name of a folder, or one too long for a file
    zones = sorted(available_timezones())
    typed = text.strip().replace(" ", "_").casefold()
    meant = next(
        (zone for zone in zones if typed in (zone.casefold(), zone.rpartition("/")[2].casefold())), ""
    )
    places = [zone for zone in zones if "/" in zone and not zone.startswith("Etc/")]
    hint = f"did you mean `{meant}`?" if "/" in meant else did_you_mean(text, places)
    what = f"{shown(text)} is not a time zone here"
    raise Wrong(what, hint or "write a place, as in America/Los_Angeles or Europe/Berlin")
