"""The schema of ``mailrouter.yaml``, IT's file."""

from __future__ import annotations

from mailrouter.config.defaults import SETTINGS as OTHERWISE
from mailrouter.config.schema import forms
from mailrouter.config.schema.forms import Schema, key, lines, some

_LISTEN = {
    "smtp": key(
        "Address and port for mail to the roles, from your mail server or as MX. Without an address "
        "(`:2525`) it is every interface of the machine.",
        forms.LISTEN,
        "127.0.0.1:2525",
        "0.0.0.0:25",
        "[::1]:2525",
        ":2525",
        default="127.0.0.1:2525",
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
            "The networks of your own servers. Being listed here never allows anybody to relay.",
            some(forms.NETWORK),
            ["127.0.0.0/8", "::1/128"],
            ["10.0.0.0/8"],
            default=["127.0.0.0/8", "::1/128"],
        ),
        "authserv_id": key(
            "The name that begins the Authentication-Results fields of your own mail server: only its "
            "verdicts (and its spam verdict) are believed.",
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
            "`pip install 'mailrouter[web]'`.",
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
