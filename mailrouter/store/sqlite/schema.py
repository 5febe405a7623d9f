"""The SQLite schema, as numbered migrations: ``PRAGMA user_version`` is the number of those applied."""

from __future__ import annotations

import sqlite3

from mailrouter.errors import StoreError


def _codes_of(column: str) -> str:
    """SQL for the codes that begin a server's words.

    They are such as ``550 5.7.1``, ``5.1.1`` or ``550``; of a text that does not begin with one it gives the whole.
    What we wrote ourselves begins with ``451 4.4.2`` and stays as it is.
    """
    cases = [f"WHEN {column} GLOB '451 4.4.2 *' THEN {column}"]
    parts = [f"{'[0-9]' * subject}.{'[0-9]' * detail}" for subject in (3, 2, 1) for detail in (3, 2, 1)]
    for before in ("[2-5][0-9][0-9] ", ""):
        for part in parts:
            length = (4 if before else 0) + 2 + part.count("[0-9]") + 1
            cases.append(f"WHEN {column} GLOB '{before}[245].{part}*' THEN substr({column}, 1, {length})")
    cases.append(f"WHEN {column} GLOB '[2-5][0-9][0-9]*' THEN substr({column}, 1, 3)")
    return f"CASE {' '.join(cases)} ELSE {column} END"


MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        received_at INTEGER NOT NULL,
        reverse_path TEXT NOT NULL,
        recipients TEXT NOT NULL,
        size INTEGER NOT NULL,
        body_start INTEGER NOT NULL,
        client TEXT NOT NULL,
        helo TEXT NOT NULL,
        message_id TEXT NOT NULL,
        eight_bit INTEGER NOT NULL,
        smtputf8 INTEGER NOT NULL,
        reasons TEXT NOT NULL,
        open INTEGER NOT NULL
    );
    CREATE TABLE chunk (
        id INTEGER PRIMARY KEY,
        data BLOB NOT NULL
    );
    CREATE TABLE receiving (
        id INTEGER PRIMARY KEY
    );
    CREATE TABLE sweep (
        id INTEGER PRIMARY KEY
    );
    CREATE TABLE delivery (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        role TEXT NOT NULL,
        recipient TEXT NOT NULL,
        reverse_path TEXT NOT NULL,
        pieces BLOB NOT NULL,
        size INTEGER NOT NULL,
        handoff INTEGER NOT NULL,
        eight_bit INTEGER NOT NULL,
        smtputf8 INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        next_at INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        last_reply TEXT NOT NULL
    );
    CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'queued';
    CREATE INDEX delivery_failed ON delivery (id) WHERE state = 'failed';
    CREATE TABLE reply_memory (
        key TEXT PRIMARY KEY,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE reply_count (
        day TEXT NOT NULL,
        scope TEXT NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (day, scope)
    ) WITHOUT ROWID;
    CREATE TABLE shown (
        conversation TEXT PRIMARY KEY,
        handoff INTEGER NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE handoff (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        role TEXT NOT NULL,
        author TEXT NOT NULL,
        written_at INTEGER NOT NULL,
        text TEXT NOT NULL,
        body BLOB NOT NULL
    );
    CREATE INDEX handoff_role ON handoff (role, version);
    """,
    # Handoffs by mail: those that wait for a confirmation, and the mails that were worked on already.
    """
    CREATE TABLE waiting_handoff (
        role TEXT NOT NULL,
        mailbox TEXT NOT NULL,
        message INTEGER NOT NULL,
        asked_at INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (role, mailbox)
    ) WITHOUT ROWID;
    CREATE INDEX waiting_handoff_asked ON waiting_handoff (asked_at);
    CREATE TABLE handoff_mail (
        key TEXT PRIMARY KEY,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    # What senders asked of reports (RFC 3461), as JSON.
    """
    ALTER TABLE message ADD COLUMN dsn TEXT NOT NULL DEFAULT '';
    """,
    # Mailboxes that mail has not been reaching.
    """
    CREATE TABLE failing_mailbox (
        mailbox TEXT PRIMARY KEY,
        since INTEGER NOT NULL,
        last INTEGER NOT NULL,
        words TEXT NOT NULL,
        returned INTEGER NOT NULL,
        taken_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    # What happened to a delivery before its present state (which its own row holds), and the deliveries on hold.
    """
    CREATE TABLE event (
        delivery INTEGER NOT NULL,
        at INTEGER NOT NULL,
        what TEXT NOT NULL,
        who TEXT NOT NULL,
        words TEXT NOT NULL,
        PRIMARY KEY (delivery, at, what)
    ) WITHOUT ROWID;
    CREATE INDEX delivery_held ON delivery (id) WHERE state = 'held';
    """,
    # Changes of roles' files, with both texts: for undoing, and to finish what a crash left begun. And what was told
    # last under a name, so that nobody hears the same twice.
    """
    CREATE TABLE schedule_change (
        role TEXT NOT NULL,
        id INTEGER NOT NULL,
        at INTEGER NOT NULL,
        author TEXT NOT NULL,
        what TEXT NOT NULL,
        before BLOB NOT NULL,
        after BLOB NOT NULL,
        undoes INTEGER NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (role, id)
    );
    CREATE INDEX schedule_change_begun ON schedule_change (id) WHERE state = 'begun';
    CREATE TABLE told (
        name TEXT PRIMARY KEY,
        what TEXT NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    # Several mails may wait for one mailbox, each by itself.
    """
    CREATE TABLE waiting (
        role TEXT NOT NULL,
        mailbox TEXT NOT NULL,
        message INTEGER NOT NULL,
        asked_at INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (role, mailbox, message)
    ) WITHOUT ROWID;
    INSERT INTO waiting SELECT role, mailbox, message, asked_at, text FROM waiting_handoff;
    DROP TABLE waiting_handoff;
    ALTER TABLE waiting RENAME TO waiting_handoff;
    CREATE INDEX waiting_handoff_asked ON waiting_handoff (asked_at);
    """,
    # Deliveries of messages that stay inside: what servers said of them before is cut down to its codes.
    f"""
    ALTER TABLE delivery ADD COLUMN inside INTEGER NOT NULL DEFAULT 0;
    UPDATE delivery SET inside = 1 WHERE id >> 10 IN (
        SELECT id >> 10 FROM delivery WHERE handoff > 0 OR kind = 'notice'
    );
    UPDATE delivery SET last_reply = {_codes_of("last_reply")} WHERE inside;
    UPDATE event SET words = {_codes_of("words")} WHERE delivery IN (SELECT id FROM delivery WHERE inside);
    UPDATE failing_mailbox SET words = {_codes_of("words")};
    """,
    # Outcomes of which nobody has been told yet.
    """
    CREATE TABLE owed (
        delivery INTEGER PRIMARY KEY,
        state TEXT NOT NULL,
        words TEXT NOT NULL,
        at INTEGER NOT NULL,
        tries INTEGER NOT NULL
    );
    """,
    # Which delivery a message of ours is about (or a copy repeats), and what it claims of it; the content of mail that
    # was delivered is kept for a while, since a copy may come back.
    """
    ALTER TABLE delivery ADD COLUMN about INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE delivery ADD COLUMN claim TEXT NOT NULL DEFAULT '';
    CREATE INDEX delivery_bounced ON delivery (id) WHERE state = 'bounced';
    CREATE TABLE kept (
        message INTEGER PRIMARY KEY,
        at INTEGER NOT NULL
    );
    CREATE INDEX kept_at ON kept (at);
    """,
    # What was told apart by words and marks in texts has columns of its own: the roles of a delivery, why it waits,
    # whether somebody dropped it, for which purpose a mail waits, by which reply a trial would have refused one, and
    # what caps have kept back.
    """
    ALTER TABLE delivery RENAME COLUMN role TO roles;
    UPDATE delivery SET roles = CASE roles WHEN '' THEN '[]' ELSE '["' || replace(roles, ',', '","') || '"]' END;
    ALTER TABLE delivery ADD COLUMN cause TEXT NOT NULL DEFAULT '';
    UPDATE delivery SET cause = 'connection'
        WHERE state = 'queued' AND (last_reply LIKE '451 4.4.2 %' OR last_reply LIKE '421 %');
    ALTER TABLE delivery ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
    UPDATE delivery SET dropped = 1 WHERE state = 'withdrawn' AND last_reply LIKE 'dropped by %';
    ALTER TABLE message ADD COLUMN refusal TEXT NOT NULL DEFAULT '';
    UPDATE message SET refusal = substr(json_extract(reasons, '$[0]'), 19)
        WHERE reasons LIKE '["would be refused: %';
    CREATE TABLE waiting (
        role TEXT NOT NULL,
        purpose TEXT NOT NULL,
        mailbox TEXT NOT NULL,
        message INTEGER NOT NULL,
        asked_at INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (role, purpose, mailbox, message)
    ) WITHOUT ROWID;
    INSERT INTO waiting SELECT
        CASE instr(role, '+') WHEN 0 THEN role ELSE substr(role, 1, instr(role, '+') - 1) END,
        CASE instr(role, '+') WHEN 0 THEN 'handoff' ELSE substr(role, instr(role, '+') + 1) END,
        mailbox, message, asked_at, text FROM waiting_handoff;
    DROP TABLE waiting_handoff;
    ALTER TABLE waiting RENAME TO waiting_handoff;
    CREATE INDEX waiting_handoff_asked ON waiting_handoff (asked_at);
    CREATE TABLE capped (
        day TEXT NOT NULL,
        kind TEXT NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (day, kind)
    ) WITHOUT ROWID;
    INSERT INTO capped SELECT day, substr(scope, 8), n FROM reply_count WHERE scope LIKE 'capped %';
    DELETE FROM reply_count WHERE scope LIKE 'capped %';
    """,
)


def version_of(connection: sqlite3.Connection) -> int:
    """The number of migrations that were applied; changes nothing.

    Raises StoreError if a newer program wrote the database.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The store was written by a newer mailrouter (its format is {version}, this program knows "
            f"{len(MIGRATIONS)}). Install that version again; nothing was changed."
        )
    return version


def up_to_date(connection: sqlite3.Connection) -> None:
    """Raises StoreError where the database is not of this program's format; only the service changes that."""
    version = version_of(connection)
    if version < len(MIGRATIONS):
        raise StoreError(
            f"The store was written by an older mailrouter (its format is {version}, this program's is "
            f"{len(MIGRATIONS)}). Start the service with this program: it brings the store up to date."
        )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to this program's schema. Raises StoreError if a newer program wrote it."""
    version = version_of(connection)
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        # One transaction a step: a crash between two steps leaves a whole, older format.
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
