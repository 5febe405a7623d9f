"""The schema of ``mailrouter.yaml``, IT's file."""

from __future__ import annotations

from mailrouter.config.defaults import SETTINGS as OTHERWISE
from mailrouter.config.values import forms
from mailrouter.config.values.forms import Schema, key, lines, some

_LISTEN = {
    "smtp": key(
        "Address and port for mail to the roles, from your mail server or as MX; or a list of them. Without "
        "an address (`:2525`) it is every interface of the machine.",
        some(forms.LISTEN),
        "127.0.0.1:2525",
        ["127.0.0.1:2525", "[::1]:2525"],
        "0.0.0.0:25",
        "[::1]:2525",
        ":2525",
        default="127.0.0.1:2525",
    ),
}

_TIMEOUTS = {
    "connect": key("For the connection.", forms.DURATION, "10 s", default="30 s"),
    "reply": key(
        "For each reply, and for each block of a large mail.", forms.DURATION, "2 min", default="5 min"
    ),
    "data_end": key(
        "For the reply to the end of a mail, on which some servers look through all of it.",
        forms.DURATION,
        "5 min",
        default="10 min",
    ),
}
_RETRY = {
    "first": key("Until the first further try.", forms.DURATION, "1 min", default="2 min"),
    "most": key(
        "Each wait is twice the one before, and never longer than this.",
        forms.DURATION,
        "15 min",
        default="30 min",
    ),
    "give_up": key(
        "After this long a mail has failed: the other partner and the postmaster hear of it, and the sender "
        "if nobody has it.",
        forms.DURATION,
        "2 days",
        default="5 days",
    ),
    "delay_notice": key(
        "After this long the sender hears once that nobody has the mail yet, unless the mail asked for "
        "silence (`NOTIFY`); or `never`.",
        forms.DURATION_OR_NEVER,
        "1 h",
        "never",
        default="4 h",
    ),
}
_LOG = {
    "format": key(
        "`text`, or `json`: an object a line, with the time in UTC and the queue id as a field of its own. "
        "`serve --log-format` goes before it.",
        {"enum": ["text", "json"]},
        "json",
        default="text",
    ),
}


def settings() -> Schema:
    """The schema, made anew at each call."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mailrouter.yaml",
        **lines(_keys(), description="The service's settings, IT's file. Every line may be left out."),
    }


def _keys() -> dict[str, Schema]:
    return {
        "hostname": key(
            "The name under which the service greets other servers; it stands in Received and Message-ID "
            "too.",
            forms.DOMAIN,
            "mx.example.com",
            otherwise=OTHERWISE["hostname"],
        ),
        "our_domains": key(
            "The domains of your organisation: who writes from one of them is inside. A role may treat "
            "senders inside and outside differently.",
            some(forms.DOMAIN),
            ["example.com"],
            ["example.com", "example.org"],
            "example.com",
            otherwise=OTHERWISE["our_domains"],
        ),
        "postmaster": key(
            "Who is told when something is wrong with the service.",
            forms.EMAIL,
            "it@example.com",
            otherwise=OTHERWISE["postmaster"],
        ),
        "listen": key("Where mail comes in.", lines(_LISTEN), {"smtp": "127.0.0.1:2525"}),
        "trusted_networks": key(
            "The networks of your own servers. Being listed here never allows anybody to relay. What such a server "
            "says of a mail is believed: its checks (`authserv_id`), and in its Received fields where it came from.",
            some(forms.NETWORK),
            ["127.0.0.0/8", "::1/128"],
            ["10.0.0.0/8"],
            default=["127.0.0.0/8", "::1/128"],
        ),
        "authserv_id": key(
            "The name that begins the Authentication-Results fields of your own mail server: only its verdicts "
            "(and its spam verdict) are believed. It lets a partner hand over and change the schedule without a "
            "question where that server wrote `dmarc=pass`, and a colleague counts as inside only where it wrote "
            "`dmarc=pass` for the domain in From or, of who logged in, `auth=pass`; see deploy.md for what the "
            "server has to write.",
            {"type": "string", "pattern": '^[^\\s;"()]+$'},
            "mail.example.com",
            otherwise=OTHERWISE["authserv_id"],
        ),
        "return_domain": key(
            "Where bounces of copies come to. By default they come to ROLE+b-TOKEN@ the role's own domain, so "
            "your mail server has to hand sub-addresses of roles to mailrouter; with a domain of its own here, "
            "all mail of that domain has to come here.",
            forms.DOMAIN,
            "roles.example.com",
            otherwise=OTHERWISE["return_domain"],
        ),
        "deliver": key(
            "Where the partners' copies go: to the next mail server (`smtp://HOST:PORT`), or into one "
            "Maildir a partner in this folder (`maildir:FOLDER`), which is good for trying it out.",
            forms.DESTINATION,
            "maildir:var/mail",
            "smtp://127.0.0.1:25",
            "smtp://[2001:db8::25]:25",
            default="maildir:var/mail",
        ),
        "store": key(
            "The file in which mail waits until it is delivered, with the handoffs.",
            forms.STORE,
            "sqlite:var/mailrouter.db",
            "sqlite:/var/lib/mailrouter/mailrouter.db",
            default="sqlite:var/mailrouter.db",
        ),
        "max_size": key(
            "The largest message that is taken: in MB (millions), MiB (2^20) or bytes.",
            forms.SIZE,
            "50 MB",
            "10 MiB",
            otherwise=OTHERWISE["max_size"],
        ),
        "web": key(
            "Address and port of the pages for monitoring (`/metrics`, `/healthz`, `/readyz`); see monitoring.md. Keep "
            "it on this machine, or in a network of your own: whoever reaches it may read them. It needs "
            "the extra `web`; `check` says how to install it.",
            forms.LISTEN,
            "127.0.0.1:8080",
            "[::1]:8080",
            otherwise=OTHERWISE["web"],
        ),
        "templates": key(
            "A folder with texts of your own (notes, automatic replies) in place of the shipped ones of "
            "the same name.",
            forms.PATH,
            "templates",
            otherwise=OTHERWISE["templates"],
        ),
        "run_folder": key(
            "A folder for what the service keeps for itself, its key among it.",
            forms.PATH,
            "/var/lib/mailrouter/run",
            default="var/run",
        ),
        "timeouts": key(
            "How long the next server may take; one that is slower is left, and the mail is tried again.",
            lines(_TIMEOUTS),
            {"connect": "30 s", "reply": "5 min", "data_end": "10 min"},
        ),
        "retry": key(
            "When mail that the next server did not take is tried again. A server that can't be reached at all "
            "is asked by one connection at a time, and gets everything at once when it answers.",
            lines(_RETRY),
            {"first": "2 min", "most": "30 min", "give_up": "5 days", "delay_notice": "4 h"},
        ),
        "keep_history": key(
            "How long the service remembers what became of a mail (for `queue show` and `trace`), whom it answered "
            "and what conversations have carried. At least 22 days, because reports about a copy may come so long.",
            {"type": "string", "pattern": "^[0-9]{1,6} *[A-Za-z]+$"},
            "30 days",
            "12 weeks",
            default="30 days",
        ),
        "keep_bounced": key(
            "How long the content of a mail is kept after its delivery, so that a copy that comes back (a full mailbox, "
            "say) can be sent again with `queue retry`; from when it came back, if it did. `0 s` gives it up at once. "
            "It costs room on the disk: the mail of so many days. Where less than a twentieth of the disk is free, and "
            "less than a gigabyte, it is given up sooner.",
            {"type": "string", "pattern": "^[0-9]{1,6} *[A-Za-z]+$"},
            "5 days",
            "0 s",
            default="5 days",
        ),
        "log": key(
            "How the log is written, which goes to standard error.",
            lines(_LOG),
            {"format": "json"},
        ),
        "calendar_url": key(
            "The web address under which people reach the calendar feeds, as `mailrouter calendar-address` tells "
            "them: that of your web server, which hands it on.",
            forms.WEB_ADDRESS,
            "https://mail.example.com/calendar",
            otherwise=OTHERWISE["calendar_url"],
        ),
        "calendar_hosts": key(
            "Hosts of your own network from which partners' calendars may be fetched, http included. All other "
            "calendars come over https from addresses of the public internet.",
            some(forms.CALENDAR_HOST),
            ["exchange.example.com"],
            "10.0.0.25",
            otherwise=OTHERWISE["calendar_hosts"],
        ),
    }
