"""Defaults that can't be typed as a value, in words."""

from __future__ import annotations

from collections.abc import Mapping

SETTINGS: Mapping[str, str] = {
    "hostname": "the machine's name, or the first of our_domains where that is no whole one",
    "our_domains": "the domains of the roles",
    "postmaster": "postmaster@ the first of our_domains",
    "authserv_id": "nobody's are believed",
    "return_domain": "each role's own domain",
    "max_size": "what the next server takes",
    "web": "nowhere",
    "templates": "the shipped ones",
    "calendar_url": "the path alone is told",
    "calendar_hosts": "none",
}
