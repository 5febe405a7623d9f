"""Mails as people write them to a role, (sender, bytes) each, that are to be answered when nobody is in."""

from __future__ import annotations

_SUBJECTS = (
    ("Budget for next year", "Could you have a look at the attached numbers before Friday?"),
    ("RE: Interview on Tuesday", "> does 10 suit you?\r\n\r\nYes, gladly. Which room?"),
    ("Fwd: contract", "See below, what do you think?\r\n\r\n---- Forwarded ----\r\nDear all, ..."),
    ("Question", "hi\r\nwho signs the holiday forms now?\r\nthx"),
    ("=?utf-8?B?R3LDvMOfZSBhdXMgTcO8bmNoZW4=?=", "Sch=C3=B6ne Gr=C3=BC=C3=9Fe!"),
    ("Urgent: offer letter", "Please call me back, it is urgent.\r\n\r\nRegards\r\nTom"),
    ("automatic doors on floor 3", "They do not close. Who is responsible?"),
    ("Delivery of the new chairs", "The chairs arrive on Monday; may we put them in your office?"),
    ("Undecided about the venue", "Do we return to last year's place?"),
    ("Out of paper", "The printer is out of paper again :-("),
    ("", "No subject, sorry. Call me?"),
    ("Notification of my move", "From March on I live in Oslo. Where do I report that?"),
    ("List of open positions", "Could you send me the list?"),
    ("Vacation request", "I would like to take 3 to 14 August off."),
    ("Failure of the projector", "It failed in today's meeting, who can help?"),
    ("Your status report", "Thanks, I have read it; two remarks below."),
    ("Lunch?", "Thursday at noon?"),
    ("Bounce house for the summer party", "I found one for 200. Shall I book it?"),
    ("Termination letter", "Attached is the draft you asked for."),
    ("Welcome pack", "Could we add a map of the building?"),
)


def _mail(number: int, subject: str, text: str) -> tuple[str, bytes]:
    sender = f"person{number}@company{number}.test"
    encoding = "quoted-printable" if "=C3" in text else "7bit"
    fields = [
        f"Received: from laptop (host{number}.company{number}.test [192.0.2.{number}]) by mail.company{number}.test; "
        "Mon, 23 Nov 2026 09:00:00 +0000",
        f"From: Person Number {number} <{sender}>",
        "To: VP Human Resources <vp-hr@example.test>",
        f"Subject: {subject}",
        f"Message-ID: <{number}.abc@company{number}.test>",
        "Date: Mon, 23 Nov 2026 10:00:00 +0100",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Transfer-Encoding: {encoding}",
    ]
    if number % 3 == 0:
        fields.append("User-Agent: Mozilla Thunderbird")
    if number % 4 == 0:
        fields.append("Auto-Submitted: no")
    if number % 5 == 0:
        fields.append("X-Mailer: Apple Mail (2.3654)")
    if number % 7 == 0:
        fields.append("Importance: high")
    return sender, ("\r\n".join(fields) + "\r\n\r\n" + text + "\r\n").encode()


HUMAN = [_mail(number, subject, text) for number, (subject, text) in enumerate(_SUBJECTS, 1)]
