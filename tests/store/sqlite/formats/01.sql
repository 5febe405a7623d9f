-- A store of format 1, as the program of that time left it.
BEGIN TRANSACTION;
CREATE TABLE chunk (
        id INTEGER PRIMARY KEY,
        data BLOB NOT NULL
    );
INSERT INTO "chunk" VALUES(1047527424,X'00');
INSERT INTO "chunk" VALUES(1049624576,X'5375626A6563743A20736D616C6C0D0A0D0A68656C6C6F0D0A');
INSERT INTO "chunk" VALUES(1051721728,X'5375626A6563743A20736D616C6C0D0A0D0A68656C6C6F0D0A');
INSERT INTO "chunk" VALUES(1052770304,X'5375626A6563743A20736D616C6C0D0A0D0A68656C6C6F0D0A');
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
INSERT INTO "delivery" VALUES(1025024,'copy','vp-hr','p0@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,0,1700000000000,1700000000000,'queued','');
INSERT INTO "delivery" VALUES(1025025,'copy','vp-hr','p1@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,0,1700000000000,1700000000000,'queued','');
INSERT INTO "delivery" VALUES(1026048,'copy','vp-hr','p0@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700000000000,1700000000000,'delivered','words of delivered');
INSERT INTO "delivery" VALUES(1026049,'copy','vp-hr','p1@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700000000000,1700000000000,'delivered','words of delivered');
INSERT INTO "delivery" VALUES(1027072,'copy','vp-hr','p0@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700000000000,1700000000000,'failed','words of failed');
INSERT INTO "delivery" VALUES(1027073,'copy','vp-hr','p1@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700000000000,1700000000000,'delivered','words of delivered');
INSERT INTO "delivery" VALUES(1028096,'copy','vp-hr,office','p0@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700003600000,1700000000000,'queued','451 4.4.2 The server closed the connection');
INSERT INTO "delivery" VALUES(1028097,'copy','office','p1@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700003600000,1700000000000,'queued','421 4.3.2 closing');
INSERT INTO "delivery" VALUES(1028098,'copy','vp-hr','p2@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700003600000,1700000000000,'queued','450 4.2.0 greylisted');
INSERT INTO "delivery" VALUES(1028099,'copy','vp-hr','p3@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700003600000,1700000000000,'withdrawn','dropped by jim');
INSERT INTO "delivery" VALUES(1028100,'copy','vp-hr','p4@example.test','p@example.test',X'016232333A52656365697665643A2066726F6D206120746573740D0A73302C302C32353A',50,0,0,0,1,1700003600000,1700000000000,'withdrawn','planned anew');
CREATE TABLE handoff (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        role TEXT NOT NULL,
        author TEXT NOT NULL,
        written_at INTEGER NOT NULL,
        text TEXT NOT NULL,
        body BLOB NOT NULL
    );
INSERT INTO "handoff" VALUES(7,'vp-hr','Laurie',1700000000000,'Done:
- the budget
',X'446F6E653A0A2D20746865206275646765740A');
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
INSERT INTO "message" VALUES(1001,1700000000000,'jane@other.test','vp-hr@example.test',25,18,'192.0.2.1','client','<1@x>',0,0,'["because"]',2);
INSERT INTO "message" VALUES(1002,1700000000000,'jane@other.test','vp-hr@example.test',25,18,'192.0.2.1','client','<1@x>',0,0,'["because"]',0);
INSERT INTO "message" VALUES(1003,1700000000000,'jane@other.test','vp-hr@example.test',25,18,'192.0.2.1','client','<1@x>',0,0,'["because"]',1);
INSERT INTO "message" VALUES(1004,1700000000000,'jane@other.test','vp-hr@example.test',25,18,'192.0.2.1','client','<2@x>',0,0,'["because"]',3);
INSERT INTO "message" VALUES(1005,1700000000000,'jane@other.test','vp-hr@example.test',25,18,'192.0.2.1','client','<2@x>',0,0,'["would be refused: 552 5.3.4 It is too large"]',0);
CREATE TABLE receiving (
        id INTEGER PRIMARY KEY
    );
INSERT INTO "receiving" VALUES(999);
CREATE TABLE reply_count (
        day TEXT NOT NULL,
        scope TEXT NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (day, scope)
    ) WITHOUT ROWID;
INSERT INTO "reply_count" VALUES('2023-11-14','a@x.test',2);
INSERT INTO "reply_count" VALUES('2023-11-14','capped report',3);
CREATE TABLE reply_memory (
        key TEXT PRIMARY KEY,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "reply_memory" VALUES('key',1700000000000);
CREATE TABLE shown (
        conversation TEXT PRIMARY KEY,
        handoff INTEGER NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
INSERT INTO "shown" VALUES('conversation',7,1700000000000);
CREATE TABLE sweep (
        id INTEGER PRIMARY KEY
    );
CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'queued';
CREATE INDEX delivery_failed ON delivery (id) WHERE state = 'failed';
CREATE INDEX handoff_role ON handoff (role, version);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('handoff',7);
COMMIT;
