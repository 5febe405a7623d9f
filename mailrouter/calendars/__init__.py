"""Partners' own calendars, read as absences; and the addresses of the feeds we give.

What comes from outside is read in a process of its own (``worker``), under limits: nothing in it can hold up mail.
"""
