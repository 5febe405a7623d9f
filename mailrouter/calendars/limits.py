"""Limits for reading a stranger's calendar: whatever is more is an error, or left out, and said."""

from datetime import timedelta

MAX_BYTES = 16 * 2**20
"""A calendar of twenty years with all its descriptions has a few megabytes."""
MAX_LINES = 1_000_000
MAX_LINE = 64 * 1024
"""Octets of one unfolded line that we need; others (attachments) may be of any length and are passed over."""
MAX_DEPTH = 8
"""Components within components: VALARM in VEVENT in VCALENDAR is three."""
MAX_EVENTS = 50_000
MAX_ZONES = 200
MAX_LINES_OF_EVENT = 2_000
"""Lines of one event that we need: dates added (RDATE) and taken out (EXDATE) have lines of their own."""
MAX_TIMES_OF_EVENT = 1_000
"""Occurrences of one event within the window; one a day are 430."""
MAX_TIMES = 20_000
MAX_ABSENCES = 1_000
"""Absences of one partner within the window, after what overlaps or touches was joined."""
MAX_LEFT_OUT = 20
"""Sentences about what was left out."""

BEFORE = timedelta(days=31)
AHEAD = timedelta(days=396)
"""The window around now: a month back, thirteen months ahead."""

EVENT_SECONDS = 0.5
"""Processor time for one event with all its exceptions."""
MAX_SLOW = 10
"""Events that take too long; more are no accident."""
CPU_SECONDS = 10
"""Processor time for a whole calendar."""
FETCH_SECONDS = 30.0
WALL_SECONDS = 60.0
"""From the start of the process that reads a calendar to its end, whatever it does."""
MEMORY = 512 * 2**20
MAX_REDIRECTS = 3
