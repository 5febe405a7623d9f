"""Forms of Authentication-Results: those of real servers that say pass, and forgeries of every kind that was thought of.

A form is the fields of a header above From, without their last CRLF. ``ID`` is the trusted server's id; the mail claims
to be by somebody of ``example.test``, handed in by a server at 127.0.0.1.
"""

# ruff: noqa: E501 (the fields are as long as they are)

from __future__ import annotations

from collections.abc import Iterator

ID = "mail.example.test"
AR = "Authentication-Results: "
PASS = f"{AR}{ID}; dmarc=pass header.from=example.test"
BORDER = f"Received: from mx.evil.test (mx.evil.test [203.0.113.5])\r\n\tby {ID} (Postfix) with ESMTPS id 4Tx\r\n\tfor <vp-hr@example.test>; Thu, 3 Dec 2026 10:00:00 -0800"
INNER = f"Received: from localhost (localhost [127.0.0.1])\r\n\tby {ID} (Postfix) with ESMTP id 4Ty; Thu, 3 Dec 2026 10:00:01 -0800"
FOREIGN = "Received: from laptop.example.test (laptop [127.0.0.1])\r\n\tby mx.evil.test with ESMTP id 1; Thu, 3 Dec 2026 09:59:00 -0800"

_SPF = f"{ID}; spf=pass (domain of a@example.test designates 192.0.2.1) smtp.mailfrom=a@example.test"
_DKIM = f'{ID};\r\n\tdkim=pass (2048-bit key; unprotected) header.d=example.test header.i=@example.test header.b="BegZ/i+N"'

GENUINE: dict[str, str] = {
    "OpenDMARC 1.4": f"{AR}{ID}; dmarc=pass (p=none dis=none) header.from=example.test",
    "OpenDMARC 1.3": f"{AR}{ID}; dmarc=pass header.from=example.test",
    "OpenDMARC above OpenDKIM": f"{PASS}\r\n{AR}{_DKIM}",
    "OpenDMARC beneath Postfix's own field": f"{BORDER}\r\n{PASS}\r\n{AR}{_DKIM}",
    "policyd-spf, OpenDKIM and OpenDMARC, a field each": f"{AR}{_SPF}\r\n{AR}{_DKIM}\r\n{PASS}",
    "OpenDKIM first, then DMARC": f"{AR}{_DKIM}\r\n{PASS}",
    "a field each, all above the border": f"{AR}{ID}; spf=none smtp.mailfrom=x@y.test\r\n{AR}{ID}; dkim=pass\r\n{PASS}\r\n{BORDER}",
    "rspamd": f"{AR}{ID};\r\n\tdkim=pass header.d=example.test header.s=dkim header.b=oCFTPx2K;\r\n\tdmarc=pass (policy=reject) header.from=example.test;\r\n\tspf=pass ({ID}: domain of laurie@example.test designates 2001:db8::1 as permitted sender) smtp.mailfrom=laurie@example.test",
    "mailcow": f"{BORDER}\r\n{AR}{ID};\r\n\tdkim=pass header.d=example.test header.s=dkim header.b=\"eN/3=\";\r\n\tspf=pass ({ID}: domain of laurie@example.test designates 192.0.2.1 as permitted sender) smtp.mailfrom=laurie@example.test;\r\n\tdmarc=pass (policy=none) header.from=example.test",
    "Exim": f"{AR}{ID};\r\n\tiprev=pass (mail.example.test) smtp.remote-ip=192.0.2.1;\r\n\tspf=pass smtp.mailfrom=example.test;\r\n\tdkim=pass header.d=example.test header.s=20230601 header.a=rsa-sha256;\r\n\tdmarc=pass header.from=example.test\r\n{BORDER}",
    "Halon": f"{AR}{ID}; dkim=pass header.d=example.test header.s=s1 header.b=a4c6; spf=pass smtp.mailfrom=laurie@example.test; dmarc=pass header.from=example.test",
    "Google": f"{AR}{ID};\r\n       dkim=pass header.i=@example.test header.s=google header.b=sBjxoxD7;\r\n       arc=pass (i=1 spf=pass spfdomain=example.test dkim=pass dkdomain=example.test);\r\n       spf=pass (google.com: domain of laurie@example.test designates 2607:f8b0:: as permitted sender) smtp.mailfrom=laurie@example.test;\r\n       dmarc=pass (p=QUARANTINE sp=QUARANTINE dis=NONE) header.from=example.test;\r\n       dara=pass header.i=@example.test",
    "Google, inside its own hops": f"Received: by 2002:a17:906:a051:0:0:0:0 with SMTP id bg17csp4157243ejb; Thu, 3 Dec 2026 10:00:02 -0800 (PST)\r\nX-Received: by 2002:a05:6512:3c2 with SMTP id w2\r\n{BORDER}\r\nReceived-SPF: pass (google.com: domain)\r\n{PASS}",
    "Fastmail": f"{AR}{ID};\r\n    arc=none (no signatures found);\r\n    bimi=skipped (DMARC Policy is not at enforcement);\r\n    dkim=pass (2048-bit rsa key sha256) header.d=example.test header.i=@example.test header.b=BegZuiNO header.a=rsa-sha256 header.s=fm1 x-bits=2048;\r\n    dmarc=pass policy.published-domain-policy=none policy.applied-disposition=none policy.evaluated-disposition=none (p=none,d=none,d.eval=none) policy.policy-from=p header.from=example.test;\r\n    iprev=pass smtp.remote-ip=192.0.2.1 (out.example.test);\r\n    spf=pass smtp.mailfrom=laurie@example.test smtp.helo=out.example.test;\r\n    x-ptr=pass smtp.helo=out.example.test policy.ptr=out.example.test",
    "Authentication Milter, one field each": f"{AR}{ID}; x-csa=none\r\n{AR}{_SPF}\r\n{PASS}\r\n{BORDER}",
    "Zoho": f"{AR}{ID};\r\n\tdkim=pass;\r\n\tspf=pass (zohomail.com: domain of example.test designates 192.0.2.1 as permitted sender)  smtp.mailfrom=laurie@example.test;\r\n\tdmarc=pass(p=none dis=none)  header.from=example.test",
    "Proton": f"{AR}{ID}; dmarc=pass (p=none dis=none) header.from=example.test\r\n{AR}{ID}; spf=pass smtp.mailfrom=example.test\r\n{AR}{ID}; arc=none smtp.remote-ip=192.0.2.1\r\n{AR}{ID}; dkim=pass (2048-bit key) header.d=example.test header.i=@example.test header.b=\"iIicLeoJ\"",
    "Stalwart": f"{AR}{ID};\r\n\tdkim=pass header.d=example.test header.s=202404r header.b=tcBHGVGq;\r\n\tspf=pass ({ID}: domain of laurie@example.test designates 192.0.2.1 as permitted sender) smtp.mailfrom=laurie@example.test smtp.helo=out.example.test;\r\n\tiprev=pass policy.iprev=192.0.2.1;\r\n\tdmarc=pass header.from=example.test policy.dmarc=reject",
    "Cisco": f"{AR}{ID}; dkim=pass (signature verified) header.i=@example.test; spf=Pass smtp.mailfrom=laurie@example.test; dmarc=pass (p=reject dis=none) d=example.test",
    "KumoMTA": f"{AR}{ID};\r\n\tspf=pass smtp.mailfrom=laurie@example.test;\r\n\tdkim=pass header.a=rsa-sha256 header.d=example.test header.s=s;\r\n\tdmarc=pass policy.published-domain-policy=none header.from=example.test",
    "MIMEDefang": f"{AR}{ID} (MIMEDefang);\r\n\tdkim=pass (1024-bit key) header.d=example.test; spf=pass; dmarc=pass header.from=example.test",
    "amavisd above OpenDMARC": f"{INNER}\r\nX-Virus-Scanned: amavisd-new at {ID}\r\n{AR}{ID} (amavisd-new);\r\n\tdkim=pass (2048-bit key) header.d=example.test\r\n{INNER}\r\n{BORDER}\r\n{PASS}",
    "mail.ru": f"{AR}{ID}; auth=pass smtp.auth=laurie@example.test smtp.mailfrom=laurie@example.test; iprev=pass policy.iprev=10.161.4.115; dmarc=pass header.from=example.test",
    "with a version": f"{AR}{ID} 1; dmarc=pass header.from=example.test",
    "with a method's version": f"{AR}{ID}; dmarc/1=pass header.from=example.test",
    "in another case": "authentication-results: MAIL.Example.TEST; DMARC=Pass HEADER.From=Example.TEST",
    "a quoted id": f'{AR}"{ID}"; dmarc=pass header.from=example.test',
    "comments everywhere": f"{AR}(a (b)) {ID} (c; d) 1 (e);\r\n (f) dmarc (g) = (h) pass (; dmarc=fail) header.from=example.test (i)",
    "a quoted value": f'{AR}{ID}; dmarc=pass header.from="example.test"',
    "a last semicolon": f"{PASS};",
    "a last dot": f"{PASS}.",
    "no domain named": f"{AR}{ID}; dmarc=pass",
    "a reason": f'{AR}{ID}; dkim=fail reason="verification failed; insecure key" header.d=other.test; dmarc=pass header.from=example.test',
    "semicolons before what they part": f"{AR}{ID} ;spf=pass (matched mx) ;dmarc=pass header.from=example.test",
    "below another server's": f"{AR}relay.example.test; dmarc=fail header.from=example.test\r\n{PASS}",
    "below another server's that can't be read": f"{AR}relay.example.test; spf=\r\n{PASS}",
    "below an inner hop": f"{INNER}\r\n{PASS}\r\n{BORDER}",
    "a null path": f"{AR}{ID}; spf=none smtp.mailfrom=<>; dmarc=pass header.from=example.test",
    "a path with signs": f'{AR}{ID}; spf=pass smtp.mailfrom="a b; dmarc=fail"@example.test; dmarc=pass header.from=example.test',
}  # fmt: skip


def forged() -> Iterator[tuple[str, str]]:
    """Pairs of a kind and a form that must not be believed."""
    yield from (
        ("none", form) for form in ("X-None: 1", BORDER, f"{AR}{ID}", f"{AR}{ID}; none", AR, f"{AR};")
    )
    yield from _other_words()
    yield from _other_ids()
    yield from _not_plain()
    yield from _hidden()
    yield from _other_domains()
    yield from _below()
    yield from _split()
    yield from _broken()
    yield from _large()


def _other_words() -> Iterator[tuple[str, str]]:
    for word in (
        "fail", "none", "temperror", "permerror", "bestguesspass", "passed", "pass-", "xpass", "softpass", "1pass", "pas",
        "pass_", "policy", "skipped", "=pass", "\"pass\"", "(pass)", "", "p ass", "pass/1", "pass=pass", "pass.x", "pass@x",
    ):  # fmt: skip
        yield "another word", f"{AR}{ID}; dmarc={word} header.from=example.test"
    for method in (
        "xdmarc", "dmarc-x", "x-dmarc", "dmarc_", "arc", "dkim", "spf", "auth", "dmarc/2", "dmarc/0", "dmarc/", "dmarc/1/1",
        "dmarc.x", "policy.dmarc", "\"dmarc\"", "d(x)marc", "dmarc dmarc", "header.dmarc", "reason dmarc",
    ):  # fmt: skip
        yield "another method", f"{AR}{ID}; {method}=pass header.from=example.test"


def _other_ids() -> Iterator[tuple[str, str]]:
    for server in (
        "other.test", f"{ID}.evil.test", f"evil.{ID}", f"x{ID}", f"{ID}x", f"{ID}.", f".{ID}", "mail.example", "example.test",
        "mail", f"{ID}:25", f"{ID}/", f"{ID}@evil.test", f"evil.test@{ID}", f"{ID},evil.test", f"{ID} evil.test",
        f"evil.test {ID}", f"evil.test; {ID}", f"<{ID}>", f"[{ID}]", f"'{ID}'", f"({ID})", f"evil.test ({ID})",
        f'"{ID}', f'{ID}"', f'"{ID}" "x"', f'"{ID} "', f'" {ID}"', f'"{ID};"', f"{ID}\\", "mail\\.example.test",
        "mail.example.te(x)st", "mail.example. test", "mail .example.test", "mail_example_test", "mai1.example.test",
        f"{ID} 2", f"{ID} 0", f"{ID} 11", f"{ID} 1 1", f"{ID} v1", f"{ID} 1.0", f"{ID} -1", f"{ID}=1", f"from={ID}", "",
    ):  # fmt: skip
        yield "another id", f"{AR}{server}; dmarc=pass header.from=example.test"


def _not_plain() -> Iterator[tuple[str, str]]:
    for code in (0, 1, 7, 8, 11, 12, 27, 31, 127):
        yield "a control", PASS.replace(ID, f"{ID}{chr(code)}")
        yield "a control", f"{PASS}{chr(code)}"
    for sign in (
        "\x85",
        "\xa0",
        "\xad",
        "\u200b",
        "\u200d",
        "\u2028",
        "\u202e",
        "\u2060",
        "\ufeff",
        "\u3000",
        "\u0430",
        "\uff1b",
    ):
        yield "beyond ASCII", PASS.replace(ID, f"{ID}{sign}")
        yield "beyond ASCII", f"{PASS} (p=none{sign})"
    yield "beyond ASCII", PASS.replace("mail", "m\u0430il")
    yield "beyond ASCII", PASS.replace("pass", "p\u0430ss")
    yield "an encoded word", f"{AR}=?utf-8?q?{ID}=3B_dmarc=3Dpass?="
    yield "an encoded word", f"{AR}=?us-ascii?q?{ID}?=; dmarc=pass header.from=example.test"
    yield "an encoded word", f"{AR}{ID}; =?utf-8?b?ZG1hcmM9cGFzcw==?="
    yield "an encoded word", f"{AR}{ID}; dmarc==?utf-8?q?pass?= header.from=example.test"
    yield "an encoded word", f"{PASS} (=?utf-8?q?x?=)"
    for name in ("Authentication-Results ", "Authentication-Results\t", "Authentication-Result", "X-Authentication-Results",
                 "ARC-Authentication-Results", "Authentication_Results", "Authentication-Results-Original", "Old-Authentication-Results",
                 "Authentication-Results\u200b", "=?us-ascii?q?Authentication-Results?="):  # fmt: skip
        yield "another field", PASS.replace("Authentication-Results", name)


def _hidden() -> Iterator[tuple[str, str]]:
    for rest in (
        "(; dmarc=pass)", '; spf=pass reason="; dmarc=pass"', "; spf=pass (x; dmarc=pass)", "; spf=pass reason=dmarc=pass",
        "; spf=pass dmarc=pass", "; spf=pass smtp.mailfrom=dmarc=pass@x.test", "; spf=pass policy.dmarc=pass",
        '; spf=pass smtp.mailfrom="a; dmarc=pass header.from=example.test"@evil.test', "; dkim=pass header.dmarc=pass",
        "; spf=pass (\\); dmarc=pass)", '; spf=pass reason="\\"; dmarc=pass"', "; spf=pass ((x); dmarc=pass)",
        ", dmarc=pass", " dmarc=pass", "| dmarc=pass", "; spf=none, dmarc=pass", "; spf=none; none; dmarc=pass x",
        "; none; dmarc=pass", "; dmarc", "; =pass", "; dmarc:pass", "; dmarc-pass", "; dmarc is pass", "; (dmarc)=pass",
        ";; dmarc=pass", "; ; dmarc=pass", ";\r\n \r\n dmarc=pass", ";\r\n\t\t\r\n\tdmarc=pass", "; dmarc=\r\n \r\n pass",
    ):  # fmt: skip
        yield "hidden in something else", f"{AR}{ID}{rest}"
    for more in (
        "dmarc=fail",
        "dmarc=none",
        "dmarc=pass",
        "DMARC = fail",
        "dmarc/1=fail",
        "dmarc/2=pass",
        "(x) dmarc=temperror",
    ):
        yield "two words", f"{PASS}; {more}"
        yield "two words", f"{AR}{ID}; {more}; dmarc=pass header.from=example.test"
    yield "two words", f"{PASS}\r\n{AR}{ID}; dmarc=fail header.from=example.test"
    yield "two words", f"{AR}{ID}; dmarc=fail header.from=example.test\r\n{PASS}"


def _other_domains() -> Iterator[tuple[str, str]]:
    for name in (
        "evil.test", "example.test.evil.test", "evilexample.test", "sub.example.test", "test", "example", "example.test..",
        ".example.test", "xn--exmple-cua.test", "laurie@evil.test", "example.test@evil.test", '"evil.test"', "", '""', "<>",
        "example.test,evil.test", "example.test/evil.test", "example.test:evil.test", "example.test header.from=evil.test",
        "evil.test header.from=example.test", "evil.test (example.test)", "example.test d=evil.test",
    ):  # fmt: skip
        yield "another domain", f"{AR}{ID}; dmarc=pass header.from={name}"
    yield "another domain", f"{AR}{ID}; dmarc=pass policy.x= header.from=evil.test"
    yield "another domain", f"{AR}{ID}; dmarc=pass policy.x= (y) header.from=evil.test"
    yield "another domain", f"{AR}{ID}; dmarc=pass HEADER . FROM = evil.test"
    yield "another domain", f"{AR}{ID}; dmarc=pass (p=none) header.(x)from=evil.test"


def _below() -> Iterator[tuple[str, str]]:
    yield "below a foreign hop", f"{BORDER}\r\n{FOREIGN}\r\n{PASS}"
    yield "below a foreign hop", f"{INNER}\r\n{BORDER}\r\n{FOREIGN}\r\n{PASS}"
    yield "below a foreign hop", f"{BORDER}\r\n{FOREIGN}\r\n{BORDER}\r\n{PASS}"
    for greeting in ("from [127.0.0.1] (unknown [203.0.113.5])", "from 127.0.0.1 (x.evil.test [203.0.113.5])",
                     "from localhost ([203.0.113.5] helo=[127.0.0.1])", "from [203.0.113.5] (helo=[127.0.0.1])",
                     "from unknown (HELO [127.0.0.1]) (203.0.113.5)", "from unknown (HELO a [127.0.0.1]) (203.0.113.5)",
                     "from 127.0.0.1 (EHLO localhost) (203.0.113.5)", "from x ([127.0.0.1] [203.0.113.5])",
                     "from x (HELO 127.0.0.1)", "from [127.0.0.1]", "from 127.0.0.1", "from x (unknown [127.0.0.1", "from x"):  # fmt: skip
        yield (
            "a greeting that looks like ours",
            f"Received: {greeting} by {ID}; Thu, 3 Dec 2026 10:00:00 -0800\r\n{FOREIGN}\r\n{PASS}",
        )
    for own in ("dkim=none", "dkim=pass", "dkim=pass header.d=evil.test", "dkim=fail header.d=example.test", "spf=pass",
                "spf=pass smtp.mailfrom=a@evil.test", "spf=pass smtp.helo=example.test", "spf=fail smtp.mailfrom=a@example.test",
                "spf=pass smtp.mailfrom=SRS0=x=y=evil.test=a@example.test", "dkim=pass header.d=test", "none", "dmarc=none",
                "dkim=pass header.i=example.test@evil.test", "dkim=pass reason=\"header.d=example.test\""):  # fmt: skip
        yield "below a field that says less", f"{AR}{ID}; {own}\r\n{PASS}"
        yield "below a field that says less", f"{BORDER}\r\n{AR}{ID}; {own}\r\n{AR}{_SPF}\r\n{PASS}"
    for broken in ("", "(x", f"({ID}", f'"{ID}', f"{ID}; dmarc=", f"{ID}\x0b; x", f"{ID}; (((", f"{ID} 2; dmarc=pass", "(x) y; z",
                   f"{ID}; dmarc=fail \"", "spf=pass smtp.mailfrom=<>", f"=?utf-8?q?{ID}?=; x=y", f"{ID}., x", "\u200b; x=y"):  # fmt: skip
        yield "below one that can't be read", f"{AR}{broken}\r\n{PASS}"
    yield "below another server's", f"{AR}{ID}; spf=none\r\n{AR}other.test; spf=pass\r\n{PASS}"
    yield "below another server's", f"{AR}{_DKIM}\r\n{AR}other.test; spf=pass\r\n{PASS}"


def _split() -> Iterator[tuple[str, str]]:
    yield "split over fields", f"{AR}{ID};\r\n{AR}dmarc=pass header.from=example.test"
    yield "split over fields", f"{AR}{ID}; dmarc\r\n{AR}{ID}; pass"
    yield "split over fields", f"{AR}{ID}; dmarc=\r\n X-Y: pass"
    yield "split over fields", f"X-Spam: no\r\n\t{PASS}"
    yield "split over fields", f"{AR}{ID};\n dmarc=pass header.from=example.test"
    yield "split over fields", f"{AR}{ID};\r dmarc=pass header.from=example.test"


def _broken() -> Iterator[tuple[str, str]]:
    for end in ("(", ")", '"', "\\", "(()", '("', ";x", "; x=", "; =y", "; x", "=", ".", "header.", "header.x", "; x=y z", "x.y=\"",
                "<", "x=<y", "x=y,z", "x=a\\b", "; a=b\"c\"", "; a=b c.d=\"e\"f\"", "; a/b=c"):  # fmt: skip
        yield "not in the grammar", f"{PASS} {end}"


def _large() -> Iterator[tuple[str, str]]:
    yield "too much", f"{PASS} ({'x' * 20_000})"
    yield "too much", f"{PASS}{' ' * 20_000}"
    yield "too much", f"{PASS}{'; x=y' * 200}"
    yield "too much", f"{PASS}{' a.b=c' * 200}"
    yield "too much", f"{PASS} {'(' * 10_000}"
    yield "too much", f"{PASS} {'(' * 8_000}{')' * 7_999}"
