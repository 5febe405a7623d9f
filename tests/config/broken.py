"""Broken files and what people are told, to the letter: `line:column: what; hint`, every problem of the file."""
# ruff: noqa: E501 (a message stays one line)

# Added at the end of the role's file, which has eight lines.
ADDED_TO_A_ROLE: dict[str, list[str]] = {
    "hours: 25:00-17:00": ["9:8: 25:00 is not a time; the hours of a day go from 00:00 to 24:00"],
    "hours: 09:00-17:60": ["9:14: 17:60 is not a time; write it as 09:00-17:00"],
    "hours: 9-17": ["9:8: 9 is not a time; write it as 09:00-17:00"],
    "hours: 09:00 to 17:00": ["9:8: 09:00 to 17:00 is not a range of times; write it as 09:00-17:00"],
    "hours: 09:00-09:00": ["9:8: 09:00-09:00 starts and ends at the same time; a whole day is 00:00-24:00"],
    "hours: 24:00-08:00": [
        "9:8: 24:00 is the end of a day, so nothing can start then; write 00:00 on the day that begins"
    ],
    "hours: [09:00-17:00]": ["9:8: one value belongs here, not a list"],
    "  wensday: laurie": ["9:3: `wensday` is not known here; did you mean `wednesday`?"],
    "  tuesday: laurei": ["9:12: laurei is not a partner here; did you mean `laurie`?"],
    "  tuesday: laurie, elaine": ["9:12: several people need brackets around them; write [laurie, elaine]"],
    "  tuesday: laurie and elaine": [
        "9:12: several people need brackets around them; write [laurie, elaine]"
    ],
    "  tuesday: [laurie 09:00-13:00, elane 12:00-17:00]": [
        "9:33: elane is not a partner here; did you mean `elaine`?"
    ],
    "  tuesday: [laurie 09:00-33:00]": [
        "9:26: 33:00 is not a time; the hours of a day go from 00:00 to 24:00"
    ],
    "  tuesday: laurie 9-13": ["9:19: 9 is not a time; write it as 09:00-13:00"],
    "  tuesday: 09:00-17:00": [
        "9:12: 09:00-17:00 doesn't say who works; begin with the partner, as in laurie 09:00-13:00"
    ],
    "  tuesday: {laurie: 09:00-17:00}": [
        "9:12: a list belongs here, not `name: value` lines; as in [laurie 09:00-13:00, elaine 12:00-17:00]"
    ],
    "  tuesday: [laurie, nobody]": [
        "9:21: `nobody` can't stand in a list; for a day off write nobody alone, without brackets"
    ],
    "  mon: elaine": ["9:3: `mon` is here for the second time; `monday` is on line 8; keep one"],
    "  tuesday:\n    - laurie\n    -": ["11:6: a value is missing here"],
    "  starting: 2026-01-05": [
        "8:3: `weeks` is missing here; add a line `weeks: …`",
        "8:3: a weekday can't stand beside `weeks`; put it inside one of the weeks",
    ],
    "holidays: US": ["9:11: `name: value` lines belong here, not US; as in {country: US}"],
    "holidays: {country: XX}": [
        "9:21: the holidays of country 'XX' are not known; write its ISO 3166 code, such as US, DE or GB"
    ],
    "holidays: {country: Germany}": [
        "9:21: the holidays of country 'Germany' are not known; did you mean DE?"
    ],
    "holidays: {country: US, subdivision: XY}": [
        "9:38: US has no subdivision 'XY'; known are AK, AL, AR, AS, AZ, CA, CO, CT, DC, DE, FL, GA, GU, HI, IA, ID, IL, IN, KS, KY, LA, MA, MD, ME, MI, MN, MO, MP, MS, MT, NC, ND, NE, NH, NJ, NM, NV, NY, OH, OK, OR, PA, PR, RI, SC, SD, TN, TX, UM, UT, VA, VI, VT, WA, WI, WV, WY"
    ],
    "holidays: {country: NO, also: [24.12.2026]}": [
        "9:25: 24.12.2026 is not a date here; write it as 2026-12-24"
    ],
    "absences:\n  - {partner: elaine, from: 2026-12-21, until: 2026-12-20}": [
        "10:48: 2026-12-20 is not after the absence begins; `until` is the last day away, or a moment"
    ],
    "absences:\n  - {partner: elane, from: 2026-12-21, until: 2026-12-22}": [
        "10:15: elane is not a partner here; did you mean `elaine`?"
    ],
    "absences:\n  - {partner: elaine, from: 21.12.2026, until: 12/24/2026}": [
        "10:29: 21.12.2026 is not a date here; write it as 2026-12-21",
        "10:48: 12/24/2026 is not a date here; write it as 2026-12-24",
    ],
    "absences:\n  - {partner: elaine, from: 2026-02-30, until: 2026-12-22 25:00}": [
        "10:29: there is no 2026-02-30 in the calendar; a date is year-month-day",
        "10:59: 25:00 is not a time; the hours of a day go from 00:00 to 24:00",
    ],
    "absences:\n  - {partner: elaine, until: 2026-12-22}": [
        "10:5: `from` is missing here; add the first day away, as in from: 2026-12-21"
    ],
    "absences:\n  - {partner: elaine, from: 2026-12-21, until: 2026-12-22, cover: elaine}": [
        "10:67: elaine can't cover for themselves; name another partner, or a {name, email} stand-in"
    ],
    "absences:\n  - {partner: elaine, from: 2026-12-21, until: 2026-12-22, cover: {name: Jo}}": [
        "10:67: `email` is missing here; add `email: …` between the braces"
    ],
    "absences:\n  - {partner: elaine, from: 2026-12-21, until: 2026-12-22, cover: jo@example.test}": [
        "10:67: a stand-in needs a name beside the address; write {name: Jo Doe, email: jo@example.com}"
    ],
    "absences:\n  - {partner: elaine, from: 2026-12-21, until: 2026-12-22, cover: {name: L, email: Laurie@example.test}}": [
        "10:84: laurie@example.test is a partner's mailbox, so this is no stand-in; write cover: laurie"
    ],
    "absences:\n  partner: elaine": [
        "10:3: a list belongs here, not `name: value` lines; put a hyphen before it, - partner: …, and two spaces before the lines below"
    ],
    "absences: elaine": [
        "9:11: a list belongs here, not elaine; write each on a line below, as in  - {partner: elaine, from: 2026-12-21, until: 2027-01-01}"
    ],
    "absences:\n  - elaine": [
        "10:5: `name: value` lines belong here, not elaine; as in {partner: elaine, from: 2026-12-21, until: 2027-01-01}"
    ],
    "swaps:\n  - {date: 2026-12-03, partner: laurie, for: 2026-12-03}": [
        "10:46: the day given back is the day of the swap; name the day the others work in return"
    ],
    "swaps:\n  - {date: 2026-12-03, partner: lauri, hours: 9}": [
        "10:33: lauri is not a partner here; did you mean `laurie`?",
        "10:47: 9 is not a range of times; write it as 09:00-17:00",
    ],
    "swaps:\n  - {partner: laurie, dat: 2026-12-03}": [
        "10:23: `dat` is not known here; did you mean `date`?",
    ],
    "emergency: {name: HR}": ["9:12: the emergency contact can't be reached; add a phone or an email"],
    "emergency: {name: HR, phone: call me}": [
        "9:30: call me is not a telephone number; write it as +1 650 555 0101"
    ],
    "emergency: {name: HR, phone: +1 650 555 0100, tell: everybody}": [
        "9:53: `everybody` is not known here; did you mean `everyone`? it is one of inside, everyone or nobody"
    ],
    "note: sometimes": ["9:7: `sometimes` is not known here; it is one of absence, always or never"],
    "note: no": ["9:7: `no` is not known here; did you mean `never`? it is one of absence, always or never"],
    "note: {when: never}": ["9:7: one value belongs here, not `name: value` lines"],
    "handoff: {attach: allways}": [
        "9:19: `allways` is not known here; did you mean `always`? it is one of thread, always, new or never"
    ],
    "handoff: on": ["9:10: `on` is not known here; it is one of thread, always, new or never"],
    "auto_reply: often": ["9:13: `often` is not known here; it is one of never, nobody, absence or always"],
    "auto_reply: {inside: nobody, outsid: never}": [
        "9:30: `outsid` is not known here; did you mean `outside`?"
    ],
    "copy: visible": ["9:7: `visible` is not known here; it is one of cc or hidden"],
    "reply_to: role": ["9:11: `role` is not known here; it is one of sender-and-role or sender"],
    "forwarding: munge": [
        "9:13: `munge` is not available in this version; use auto, wrap, companion or untouched"
    ],
    "already_addressed: drop": ["9:20: `drop` is not known here; it is one of copy or skip"],
    "aliases: [hr+lead@example.test]": [
        "9:13: a role's address can't have a + in it; use hr@…: what follows a + is kept for handoffs and bounces"
    ],
    "aliases: [vp-hr@example.test]": [
        "9:11: vp-hr@example.test is this role's already; the first is at config/roles/vp-hr.yaml:1; keep one"
    ],
    "aliases: hr": ["9:10: hr is not a mail address; it needs an @, as in laurie@example.com"],
    "aliases: [hr@mail]": [
        "9:14: `mail` has no dot, so it looks like half a domain; if it is right, list it under our_domains in mailrouter.yaml"
    ],
    "emergancy: {}": ["9:1: `emergancy` is not known here; did you mean `emergency`?"],
    "name: again": ["9:1: `name` is here for the second time; the first is on line 2; keep one"],
    "hours: 09:00-17:00 # x\n\tnote: never": ["10:1: a tab; use spaces to move text to the right"],
    "note: “never”": ["9:7: “ is a typographic quote; use the straight ones: \" or '"],
    "x: [1,2": ["9:4: `[` is never closed; add ] where it ends"],
    "note: 'never": ["9:7: this quote is never closed; put the same quote at the value's end"],
    "note: !x never": ["9:7: a value starting with `!` has a special meaning in YAML; put quotes around it"],
    "note: *never": [
        "9:7: `*never` refers to something that isn't above; a value that starts with * needs quotes around it"
    ],
    "---\nrole: x": ["9:1: `---` starts a second document; keep one in a file: remove the line"],
    "{}: x": [
        "9:1: a list or mapping can't be the name before a colon; {{ }} belongs to templates, not here"
    ],
    "note: a: b": ['9:8: a colon in the note; put quotes around it: note: "a: b"'],
    "copy: {inside: cc\nnote: never": ["9:7: `{` is never closed; add } where it ends"],
    "x: \u200b\u2028": ["9:5: an invisible character (U+2028); delete it and type the line anew"],
}

# A part of the role's file, and what stands in its place; an empty part is the whole file.
REPLACED_IN_A_ROLE: dict[tuple[str, str], list[str]] = {
    ("laurie@example.test", "vp-hr+x@Example.test"): [
        "5:41: vp-hr+x@example.test is the role's own address, so its mail would go round in a circle; write the person's own mailbox"
    ],
    ("laurie@example.test", "elaine@example.test"): [
        "6:40: elaine@example.test is laurie's mailbox already; each partner needs their own"
    ],
    ("  laurie:", "  both:"): [
        "5:3: `both` has a meaning of its own in the rota; choose another short name",
        "8:11: laurie is not a partner here; partners are both, elaine",
    ],
    ("  elaine:", "  Laurie:"): [
        "6:3: `Laurie` and `laurie` differ only in capitals; choose another short name for one of them"
    ],
    ("  elaine:", "  Elaine M:"): [
        "6:3: `Elaine M` can't be a partner's short name; use one word, as in laurie"
    ],
    ("America/Los_Angeles", "PST"): [
        "3:12: PST is not a time zone here; write a place, as in America/Los_Angeles or Europe/Berlin"
    ],
    ("America/Los_Angeles", "Los Angeles"): [
        "3:12: Los Angeles is not a time zone here; did you mean `America/Los_Angeles`?"
    ],
    ("America/Los_Angeles", "Europe/Berln"): [
        "3:12: Europe/Berln is not a time zone here; did you mean `Europe/Berlin`?"
    ],
    ("America/Los_Angeles", "EST"): [
        "3:12: EST is not a time zone here; write a place, as in America/Los_Angeles or Europe/Berlin"
    ],
    ("laurie@example.test", "laurie.example.test"): [
        "5:41: laurie.example.test is not a mail address; it needs an @, as in laurie@example.com"
    ],
    ("laurie@example.test", "Laurie <l@x.test>"): [
        "5:41: only the address belongs here, without name or brackets; as in laurie@example.com"
    ],
    ("vp-hr@ex", "vp+hr@ex"): [
        "1:9: a role's address can't have a + in it; use vp@…: what follows a + is kept for handoffs and bounces"
    ],
    ("{name: Laurie Cremona, email: laurie@example.test}", "laurie@example.test"): [
        "5:11: `name: value` lines belong here, not laurie@example.test; as in {name: Laurie Cremona, email: laurie@example.com}"
    ],
    ("Laurie Cremona,", '"Laurie\\nCremona",'): [
        "5:18: the text has to fit on one line; remove the line break or tab"
    ],
    ("time_zone: America/Los_Angeles\n", ""): [
        "1:1: `time_zone` is missing; add a line, as in  time_zone: Europe/Berlin"
    ],
    ("monday: laurie", "monday: lori"): ["8:11: lori is not a partner here; did you mean `laurie`?"],
    ("rota:\n  monday: laurie", "rota:"): ["7:1: `rota` has no value; write it after the colon"],
    ("rota:\n  monday: laurie", "rota: {weeks: [{monday: laurie}]}"): [
        "7:15: `starting` is missing here; add a line `starting: …`"
    ],
    ("rota:\n  monday: laurie", "rota: {starting: 2026-01-05, weeks: []}"): [
        "7:37: the list is empty; fill it or remove it"
    ],
    ("rota:\n  monday: laurie", "rota: {starting: 2026-01-05, weeks: [{monday: lori}, {munday: laurie}]}"): [
        "7:47: lori is not a partner here; did you mean `laurie`?",
        "7:55: `munday` is not known here; did you mean `monday`?",
    ],
    ("rota:\n  monday: laurie", "rota: {starting: 5 Jan, weeks: {monday: laurie}}"): [
        "7:32: 5 Jan is not a date; write it as 2026-12-21",
        "7:32: a list belongs here, not `name: value` lines; write [one, two]",
    ],
    ("\nrota", "\n rota"): [
        "7:2: this line isn't in line with those above; lines of one group start in the same column"
    ],
    ("", ""): ["1:1: the file is empty; it needs role, name, time_zone, partners and rota at least"],
    ("", "- a"): [
        "1:1: the file should hold lines with a name, a colon and a value; as in  name: VP Human Resources"
    ],
    ("", "role"): [
        "1:1: the file should hold lines with a name, a colon and a value; as in  name: VP Human Resources"
    ],
    ("", "„name“: x\n\xa0role: x"): [
        "1:1: `partners` is missing; add a line, as in  partners: {laurie: {name: Laurie Cremona, email: laurie@example.com}}",
        "1:1: `rota` is missing; add a line, as in  rota: {monday: laurie, tuesday: elaine}",
        "1:1: `time_zone` is missing; add a line, as in  time_zone: Europe/Berlin",
        "1:1: „ is a typographic quote; use the straight ones: \" or '",
        "2:1: ` role` is not known here; did you mean `role`?",
    ],
}

# The whole of mailrouter.yaml.
SETTINGS: dict[str, list[str]] = {
    "hostname: mx example": ["1:11: mx example is not a host name; as in mail.example.com"],
    "our_domains: [it@example.test]": [
        "1:15: it@example.test is an address, not a domain; write example.test"
    ],
    "our_domains: {a: b}": ["1:14: a list belongs here, not `name: value` lines; write [one, two]"],
    "postmaster: it": ["1:13: it is not a mail address; it needs an @, as in laurie@example.com"],
    "listen: 127.0.0.1:2525": [
        "1:9: `name: value` lines belong here, not 127.0.0.1:2525; as in {smtp: 127.0.0.1:2525}"
    ],
    "listen: {smtp: 2525}": ["1:16: 2525 is not an address and a port; write it as 127.0.0.1:2525"],
    "listen: {smtp: '127.0.0.1:99999'}": ["1:27: 99999 is not a port; ports go from 1 to 65535"],
    "listen: {smtp: '[::zz]:25'}": ["1:16: [::zz] is not an IPv6 address; write it as [::1]"],
    "listen:\n  submission: 0.0.0.0:587": [
        "2:3: `submission` is not available in this version; remove the line"
    ],
    "listen: {stmp: x}": ["1:10: `stmp` is not known here; did you mean `smtp`?"],
    "trusted_networks: [10.0.0.1/8, nonsense]": [
        "1:20: 10.0.0.1/8 is one address with the length of a network; did you mean 10.0.0.0/8?",
        "1:32: nonsense is not a network; write it as 10.0.0.0/8 or ::1/128",
    ],
    "trusted_networks: [10.0.0.1/33]": [
        "1:20: 10.0.0.1/33 is not a network; write it as 10.0.0.0/8 or ::1/128"
    ],
    "authserv_id: a b": [
        "1:14: a b is not a server's name; write the name that begins its Authentication-Results"
    ],
    "deliver: lmtp://localhost": ["1:10: lmtp is not available in this version; smtp:// and maildir: are"],
    "deliver: lmtp:unix": ["1:10: lmtp is not available in this version; smtp:// and maildir: are"],
    "deliver: smtp:127.0.0.1": ["1:10: smtp:127.0.0.1 lacks the two slashes; write smtp://127.0.0.1"],
    "deliver: smtp://u:p@host": [
        "1:17: logging in to the next server is not available in this version; leave out what stands before the @"
    ],
    "deliver: smtp://": ["1:10: a host is missing after smtp://; as in smtp://127.0.0.1:25"],
    "deliver: smtp://host:70000": ["1:22: 70000 is not a port; ports go from 1 to 65535"],
    "deliver: smtp://host/path": ["1:21: /path doesn't belong here; write smtp://HOST:25"],
    "deliver: smtp://127.0.0.1:2525": [
        "1:10: this is where mailrouter itself listens; name the next server's address and port"
    ],
    "deliver: maildir:": [
        "1:17: a second colon on this line; put quotes around the value, or begin a new line after the first colon"
    ],
    "deliver: mailder:x": ["1:10: mailder:x is not a destination; did you mean `maildir`?"],
    "deliver: var/mail": ["1:10: var/mail is not a destination; write maildir:FOLDER or smtp://HOST:25"],
    "deliver: smtps://x": [
        "1:10: TLS to the next server is not available in this version; use smtp:// to a server on this machine or network"
    ],
    "store: postgresql://x": [
        "1:8: a PostgreSQL store is not available in this version; use sqlite:var/mailrouter.db"
    ],
    "store: sqlite:": [
        "1:14: a second colon on this line; put quotes around the value, or begin a new line after the first colon"
    ],
    "store: var/x.db": ["1:8: var/x.db is not a store; write sqlite:var/mailrouter.db"],
    "store: sqlite::memory:": [
        "1:22: a second colon on this line; put quotes around the value, or begin a new line after the first colon"
    ],
    "timeouts: {reply: 5}": ["1:19: 5 has no unit; write 5 s or 5 min"],
    "timeouts: {reply: soon}": ["1:19: soon is not a length of time; write it as 30 s, 5 min, 4 h or 5 days"],
    "timeouts: {connect: 30 secnds}": ["1:24: secnds is not a unit of time; did you mean `seconds`?"],
    "timeouts: {data_end: 2 h}": [
        "1:22: 2 h is too long; at most 1 h: a server that is well answers in seconds"
    ],
    "timeouts: {replay: 5 min}": ["1:12: `replay` is not known here; did you mean `reply`?"],
    "timeouts: 5 min": ["1:11: `name: value` lines belong here, not 5 min; as in {reply: 5 min}"],
    "retry: {first: 0 s}": ["1:16: 0 s is no time at all; write it as 30 s, 5 min, 4 h or 5 days"],
    "retry: {first: 1 h}": [
        "1:8: `first` (1 h) is longer than `most` (30 min); write shorter ones first, as in {first: 2 min, most: 30 min, give_up: 5 days}"
    ],
    "retry:\n  give_up: 1 h": [
        "2:3: `delay_notice` (4 h) is longer than `give_up` (1 h); write shorter ones first, as in {first: 2 min, most: 30 min, give_up: 5 days}"
    ],
    "retry: {give_up: 30 days}": [
        "1:18: 30 days is too long; at most 14 days: bounces of older mail would find no way back"
    ],
    "max_size: lots": ["1:11: lots is not a size; write it as 50 MB"],
    "max_size: 10 KB": ["1:11: 10 KB is too small for mail; allow 64 KiB at least; usual is 50 MB"],
    "max_size: 50 MBit": ["1:11: 50 MBit is not a size; write it as 50 MB"],
    "web: 8080": ["1:6: 8080 is not an address and a port; write it as 127.0.0.1:8080"],
    "hostnam: x": ["1:1: `hostnam` is not known here; did you mean `hostname`?"],
    "hostname: x\nhostname: y": [
        "2:1: `hostname` is here for the second time; the first is on line 1; keep one"
    ],
    "- a": [
        "1:1: the file should hold lines with a name, a colon and a value; as in  hostname: mx.example.com"
    ],
}
