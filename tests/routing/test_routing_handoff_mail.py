"""The text of a handoff in the mails that people and their programs really write."""

from __future__ import annotations

import base64
import quopri
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.message import bounds
from mailrouter.message.text.html_text import text_of_html
from mailrouter.routing.partner.contents import contents_of
from mailrouter.routing.partner.handoff_text import Written
from mailrouter.routing.partner.quoted_text import without_tails
from mailrouter.routing.partner.sections import MAX_TEXT, read_sections
from tests.routing.situations import mail, read
from tests.support.examples import examples
from tests.support.pace import slowness

PLAIN = "Done:\n- the budget\n\nLeft:\n- call Jürgen"
OUTLOOK = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head>
<!--[if mso]><style>v\\:* {}</style><![endif]-->
<style><!-- p.MsoNormal {margin:0cm} --></style></head><body lang=EN-US><div class=WordSection1>
<p class=MsoNormal><b>Done<o:p></o:p></b></p>
<p class=MsoListParagraph style='text-indent:-18.0pt'><![if !supportLists]><span style='font-family:Symbol'><span
style='mso-list:Ignore'>&middot;<span
style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>the
budget<o:p></o:p></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p>
<p class=MsoNormal><b>Left<o:p></o:p></b></p>
<p class=MsoNormal>- call J&uuml;rgen<o:p></o:p></p>
<div style='border:none;border-top:solid #E1E1E1 1.0pt'>
<p class=MsoNormal><b>From:</b> Elaine Miller &lt;elaine@example.test&gt;<br>
<b>Sent:</b> Monday, November 30, 2026 5:00 PM<br><b>To:</b> Laurie<br><b>Subject:</b> RE: Over<o:p></o:p></p></div>
<p class=MsoNormal>old text</p></div></body></html>"""
GMAIL = """<div dir="ltr"><div style="display:none">preview</div>
<h2>Done</h2><ul><li>the budget</li></ul><div><b>Left:</b></div>
<ol><li>call <a href="https://x.test/j?a=1&amp;b=2">J\u00fcrgen</a></li></ol><div><br></div>
<span class="gmail_signature_prefix">-- </span><br><div class="gmail_signature">Laurie</div></div>
<br><div class="gmail_quote"><div class="gmail_attr">On Mon, Nov 30, 2026 at 5:00 PM Elaine
 &lt;<a href="mailto:elaine@example.test">elaine@example.test</a>&gt; wrote:<br></div>
<blockquote class="gmail_quote"><div>Left:<br>- something else</div></blockquote></div>"""


def part(kind: str, text: str | bytes, *fields: str) -> str:
    """One part in base64, so that anything may stand in it."""
    data = text.encode() if isinstance(text, str) else text
    head = "\r\n".join((f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", *fields))
    return f"{head}\r\n\r\n{base64.encodebytes(data).decode()}".replace("\r\n", "\n").replace("\n", "\r\n")


def multipart(kind: str, *parts: str) -> bytes:
    """A whole mail of these parts."""
    body = "".join(f"--b\r\n{one}\r\n" for one in parts) + "--b--\r\n"
    return mail(f"Content-Type: multipart/{kind}; boundary=b", "MIME-Version: 1.0", body=body.encode())


def single(text: str | bytes, kind: str = "text/plain; charset=utf-8", encoding: str = "8bit") -> bytes:
    """A mail of one part."""
    data = text.encode() if isinstance(text, str) else text
    body = data.replace(b"\n", b"\r\n")
    return mail(f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}", body=body)


def found(raw: bytes) -> Written:
    """What is found in a whole mail."""
    return contents_of(*read(raw), raw).handoff


FILE = "Content-Disposition: attachment; filename="
COVER = part("text/plain; charset=utf-8", "See the file.\n")
NAMED = [
    (single(PLAIN), "the text of the mail"),
    (single(PLAIN.encode("iso-8859-1"), "text/plain; charset=iso-8859-1"), "the text of the mail"),
    (single(quopri.encodestring(PLAIN.encode()), encoding="quoted-printable"), "the text of the mail"),
    (single(base64.encodebytes(PLAIN.encode()), encoding="BASE64"), "the text of the mail"),
    (single(PLAIN.encode("cp1252"), "text/plain; charset=no-such-thing"), "the text of the mail"),
    (single("\ufeff" + PLAIN + "\n\n\n\n  \n"), "the text of the mail"),
    (single(PLAIN + "\n\n-- \nLaurie Cremona\nVP HR"), "the text of the mail"),
    (single(PLAIN + "\n\nSent from my iPhone"), "the text of the mail"),
    (single(PLAIN + "\n\nOn Mon, Elaine wrote:\n> Done:\n> - old\n"), "the text of the mail"),
    (multipart("alternative", part("text/plain", PLAIN), part("text/html", "<p>other")), "the text of the mail"),
    (multipart("alternative", part("text/plain", " \n"), part("text/html", OUTLOOK)), "the text of the mail (HTML)"),
    (multipart("mixed", COVER, part("application/octet-stream", PLAIN, FILE + "plan.md")), "the attached file plan.md"),
    (multipart("mixed", COVER, part("text/markdown", PLAIN)), "the attached text"),
    (
        multipart("mixed", COVER, part("text/plain", PLAIN.replace("\n", "\r\n") + "\r\n" * 99, FILE + "dos.txt")),
        "the attached file dos.txt",
    ),
    (
        multipart("mixed", COVER, part("text/plain; charset=us-ascii", PLAIN, FILE + '"my plan.TXT"')),
        "the attached file my plan.TXT",
    ),
    (
        multipart("mixed", COVER, part("text/plain", PLAIN.encode("utf-16"), FILE + "=?utf-8?q?caf=C3=A9.txt?=")),
        "the attached file café.txt",
    ),
    (
        multipart("mixed", part("text/plain", PLAIN), part("text/plain", "noise", FILE + "ATT00001.txt")),
        "the text of the mail",
    ),
    (
        multipart("mixed", part("text/plain", PLAIN), part("text/plain", "\n", FILE + "empty.txt")),
        "the text of the mail",
    ),
    (
        multipart("mixed", part("text/plain", PLAIN), part("image/png", b"\x89PNG", FILE + "a.png")),
        "the text of the mail",
    ),
    (
        single("Done:\n- the \nbudget\n\nLeft:\n- call \nJürgen\n-- \nme", "text/plain; charset=utf-8; format=flowed"),
        "the text of the mail",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "source"), NAMED)
def test_the_text_is_found_whatever_the_program(raw: bytes, source: str) -> None:
    """Charsets, encodings, alternatives, attached files; tails cut, and it is told where it stood."""
    result = found(raw)
    assert result.problem == ""
    assert result.source == source
    assert read_sections(result.text).done == ("the budget",)
    assert read_sections(result.text).left == ("call Jürgen",)
    assert result.text.endswith("\n")


@pytest.mark.parametrize("source", [OUTLOOK, GMAIL])
def test_html_of_outlook_and_gmail(source: str) -> None:
    """Lists and headings are seen, style and preview are not; signature and quoted mail are cut off, and this is told."""
    result = found(single(source, "text/html; charset=utf-8"))
    assert result.source == "the text of the mail (HTML)"
    sections = read_sections(result.text)
    assert sections.done == ("the budget",)
    assert [line.partition(" <")[0] for line in sections.left] == ["call Jürgen"]
    assert sections.other == ("(A mail that it quotes is left out here.)",)
    assert sections.watch == ()


QUOTE_ABOVE = [
    *("Op vr 27 nov. 2026 om 16:00 schreef VP HR <a@b.test>:", "Den fre. 27. nov. 2026 kl. 16.00 skrev VP HR:"),
    *("fre. 27. nov. 2026 kl. 16:00 skrev VP HR <a@b.test>:", "Il giorno ven 27 nov 2026 VP HR ha scritto:"),
    *("pe 27. marrask. 2026 klo 16.00 VP HR\n<a@b.test> kirjoitti:", "Em sex., 27 de nov., VP HR escreveu:"),
    *("W dniu 27.11.2026 o 16:00, VP HR pisze:", "2026年11月27日(金) 16:00 VP HR <a@b.test>:"),
]  # fmt: skip
BLOCKS = [
    *("Fra Sendt Til Emne", "Van Verzonden Aan Onderwerp", "Da Inviato A Oggetto", "De Enviado Para Assunto"),
    *("Från Skickat Till Ämne", "Od Wysłano Do Temat", "Lähettäjä Lähetetty Vastaanottaja Aihe"),
]  # fmt: skip


@pytest.mark.parametrize("above", QUOTE_ABOVE)
def test_what_a_program_writes_above_quoted_mail_is_left_out_in_any_language(above: str) -> None:
    """With the quoted lines; and a handoff that answers no mail says that it quotes one."""
    result = found(single(f"{PLAIN}\n\n{above}\n\n> Left:\n> - old\n"))
    assert result.text == f"(A mail that it quotes is left out here.)\n\n{PLAIN}\n"


@pytest.mark.parametrize("names", BLOCKS)
def test_outlooks_fields_above_an_older_mail_are_known_in_any_language(names: str) -> None:
    """All from there on is left out."""
    fields = "".join(f"{name}: something\n" for name in names.split())
    result = found(single(f"{PLAIN}\n\n{fields}\nLeft:\n- old\n"))
    assert result.text == f"(A mail that it quotes is left out here.)\n\n{PLAIN}\n"


FOOTERS = [
    *("Gesendet von Mail für Windows", "Sent via BlackBerry Hub+ Inbox for Android", "Inviato da iPhone"),
    *("Envoyé à partir de Outlook pour Android", "Verstuurd vanaf mijn iPhone", "Sendt fra min iPhone"),
    *("Enviado desde mi iPhone", "Skickat från min iPhone", "Enviado do meu iPhone"),
]  # fmt: skip


@pytest.mark.parametrize("footer", FOOTERS)
def test_what_a_phone_writes_below_is_left_out_in_any_language(footer: str) -> None:
    """Alone at the end; "Sent via courier" is an item."""
    assert found(single(f"{PLAIN}\n\n{footer}\n")).text == f"{PLAIN}\n"
    item = "Sent via courier: the lease papers"
    assert found(single(f"{PLAIN}\n\n{item}\n")).text == f"{PLAIN}\n\n{item}\n"


OWN_BELOW = [
    "Left:\n- Jim wrote to me on Monday:\n\n> please call me\n> by Friday",
    "Left:\n- what Jim says\n\n> please call me",
    "Done:\n- budget\n\n-- \n\nLeft:\n- call Jim",
    "-- \nLeft:\n- call Jim",
    "Hi Elaine, call Jim\n\nLeft:\n- more",
    "hi call Jim\n\nLeft:\n- more",
]  # fmt: skip


@pytest.mark.parametrize("text", OWN_BELOW)
def test_what_may_be_the_writers_own_stays(text: str) -> None:
    """Quoted lines that no program put there, sections below two hyphens, and words behind a greeting."""
    assert found(single(text)).text == f"{text}\n"


@pytest.mark.parametrize("name", ["Laurie", "laurie", "Laurie Cremona"])
@pytest.mark.parametrize("sender", ["laurie@example.test", "Laurie Cremona <laurie@example.test>"])
def test_a_name_below_a_pointer_is_no_handoff(name: str, sender: str) -> None:
    """Whether From has a name or not."""
    text = part("text/plain", f"Hi Elaine, see attached.\n\n{name}\n")
    raw = multipart("mixed", text, part("application/pdf", b"%PDF", FILE + "plan.pdf"))
    result = found(f"From: {sender}\r\n".encode() + raw)
    assert result.problem.startswith("What is attached (plan.pdf) can't be read here")


@pytest.mark.parametrize(
    "said", ["Left:\n- all of it\n", "Left: all of it, please\n", "Left:\n- the usual\n"]
)
def test_little_words_that_point_at_nothing_are_what_they_say(said: str) -> None:
    assert found(single(said)).text == said


HTML = [
    ("<p>a</p><p>b<br>c", "a\nb\nc"),
    ("<ul><li>a<ul><li>b</ul><li><p>c</p></ul>", "- a\n  - b\n- c"),
    ("<h1>Done</h1>x<h3>Left</h3>", "## Done\nx\n\n## Left"),
    ("x &lt;b&gt; &amp;amp; &eacute;&#x263a;", "x <b> &amp; é☺"),
    ("<style>x</style><script>if (a<b) 'x'</script>y", "y"),
    ("<head><title>t</title><body>y", "y"),
    ("a <!-- <b> --> b<!-- never closed > x", "a b"),
    ("<a href='https://x.test/'>https://x.test</a> <a href=https://y.test>Y</a>", "https://x.test Y <https://y.test>"),
    ("<a href='javascript:x'>go</a> <a href='mailto:a@b.test'>a@b.test</a>", "go a@b.test"),
    ("<pre>a\n  b</pre>", "a\n  b"),
    ("<blockquote type=cite>old<blockquote>older</blockquote></blockquote>new", "> old\n> > older\nnew"),
    ('<blockquote style="margin:0 0 0 40px;border:none;padding:0px">indented</blockquote>', "indented"),
    ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
    ('<img alt="a > b" title=\'x\'>y < z', "y < z"),
    ("<p>a</p><p>&nbsp;</p><p>b</p>", "a\n\nb"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text"), HTML)
def test_html_as_text(source: str, text: str) -> None:
    """What a reader saw, in lines."""
    assert text_of_html(source).strip("\n") == text


HOSTILE = ["<", "<!--", "<!", "<![", "<?", "</", "<a ", "<a b='", "&", "&#", "<p>", "<blockquote>", "<ul><li>",
           "x <b>", "<script>", "<a href=x>", "o&nbsp;<b>", "<pre>\n", "<td>", '<a x="\'', "<div style=display:none>",
           "\n>", "-- \n", "From: x\n", "On a wrote:\n", "----------\n", " "]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_no_time(piece: str) -> None:
    """A million characters of anything are read in a moment."""
    text = piece * (1_000_000 // len(piece))
    begun = time.process_time()
    text_of_html(text)
    without_tails(text)
    assert time.process_time() - begun < 3 * slowness()


TAILS = [
    ("a\n-- \nme", "a"),
    ("a\n--\nme", "a"),
    ("a\n--\nLeft:\n- b", "a\n--\nLeft:\n- b"),
    ("a\n---\nb", "a\n---\nb"),
    ("a\n\n> old", "a"),
    ("> old\n\nan answer below", "> old\n\nan answer below"),
    ("a\n> old\nb\n> older", "a\n> old\nb"),
    ("a\n\nOn Mon, Nov 30, 2026 at 5 PM Elaine Miller\n<elaine@example.test> wrote:\n\n> old\n>\n> x", "a"),
    ("a\n\nAm Mo., 30. Nov. 2026 schrieb Elaine <e@x.test>:\n> alt", "a"),
    ("On Monday Jim wrote:\n- he comes", "On Monday Jim wrote:\n- he comes"),
    ("a\n-----Original Message-----\nFrom: x", "a"),
    ("a\n________________________________\nFrom: E\nSent: Monday\nTo: L\nSubject: x\n\nold", "a"),
    ("a\nVon: E\nGesendet: Montag\nAn: L\nBetreff: x\n\nalt", "a"),
    ("a\nFrom: Monday on, Jim is here\n\nb", "a\nFrom: Monday on, Jim is here\n\nb"),
    ("a\n\nSent from my iPhone", "a"),
    ("a\n\nGet Outlook for iOS", "a"),
    ("Sent from my desk to Jim\nb", "Sent from my desk to Jim\nb"),
    ("a\n_______________________________________________\nHR mailing list\nhttps://lists.test/hr", "a"),
    ("a\n__________\nb", "a\n__________\nb"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "left"), TAILS)
def test_only_what_stands_below_is_cut(text: str, left: str) -> None:
    """Signatures, quoted mail, advertisements and footers at the end; nothing from the middle."""
    assert without_tails(text) == left


UNUSABLE = [
    (mail(body=b""), "There is no text in the mail."),
    (mail(body=b" \r\n--\r\n\r\n"), "no text in the mail but"),
    (mail(body=b"-- \r\nLaurie\r\n"), "no text in the mail but"),
    (mail(body=b"> old\r\n> older\r\n"), "no text in the mail but"),
    (mail('Content-Type: multipart/encrypted; boundary="b"', body=b"--b\r\n\r\nx\r\n--b--\r\n"), "encrypted"),
    (mail("Content-Type: application/pkcs7-mime", body=b"x"), "encrypted"),
    (multipart("mixed", part("image/png", b"\x89PNG", FILE + "a.png")), "What is attached (a.png) can't be read here"),
    (multipart("mixed", COVER, part("application/pdf", b"%PDF", FILE + "week.pdf")), "What is attached (week.pdf)"),
    (single("Please see the attached file.\n\nLaurie\n"), "nothing is attached that could be read"),
    (single("Hi Elaine, see attached.\n"), "nothing is attached that could be read"),
    (multipart("mixed", part("text/html", "<style>x</style>")), "no text in the mail but"),
    (single("x" * (MAX_TEXT + 1)), "too long"),
    (single("<p>" * 600_000, "text/html"), "too long"),
    (multipart("mixed", COVER, part("text/plain", "x" * 1_200_000, FILE + "a.txt")), "too long"),
    (multipart("mixed", COVER, part("text/plain", bytes(range(256)) * 9, FILE + "a.txt")), "no text that can be read"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "problem"), UNUSABLE)
def test_what_is_no_handoff_is_told_in_words(raw: bytes, problem: str) -> None:
    """A sentence for its author, and no text."""
    result = found(raw)
    assert problem in result.problem
    assert result.problem.endswith(".")
    assert result.text == result.source == ""


HUGE = {
    "flowed": single("a \n" * 370_000, "text/plain; format=flowed"),
    "pages": multipart("mixed", *["Content-Type: text/html\r\n\r\n" + "x <b>" * 15_000] * 50),
    "nested": mail(
        "Content-Type: multipart/mixed; boundary=0",
        body=b"".join(
            b"--%d\r\nContent-Type: multipart/mixed; boundary=%d\r\n\r\n" % (n, n + 1) for n in range(8)
        )
        + b"\r\n--x" * 700_000,
    ),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_hostile_mail_takes_no_time(name: str) -> None:
    """Four megabytes in anybody's name hold nobody's mail up."""
    head, shape = read(HUGE[name])
    begun = time.process_time()  # of this process alone: the machine may be busy with others
    assert contents_of(head, shape, HUGE[name]).handoff.problem
    assert time.process_time() - begun < 2 * slowness()


def test_controls_and_direction_marks_are_taken_out() -> None:
    """They could only mislead, or break what is sent."""
    assert found(single("Done:\n- a\u202eb\x07c\u200b\u2028d\xa0e")).text == "Done:\n- abc\nd e\n"


def test_many_parts_are_read_to_a_bound() -> None:
    """The first of them count; nothing breaks."""
    assert found(multipart("mixed", *[part("text/plain", f"x{n}") for n in range(3 * bounds.LEAVES)])).text


@settings(max_examples=examples(150))
@given(
    st.binary(max_size=300), st.sampled_from(["text/html", "text/plain", "multipart/mixed; boundary=b", "x"])
)
def test_nothing_raises(body: bytes, kind: str) -> None:
    """Whatever comes in gives a text or a problem, never both."""
    result = found(mail(f"Content-Type: {kind}", body=b"--b\r\n" + body))
    assert bool(result.text) != bool(result.problem)
    result.text.encode()


@settings(max_examples=examples(150))
@given(
    st.lists(st.sampled_from(["word", "<b>", "</b>", "<p>", "<li>", "a<b", "&amp;", "<br/>", "<!-- x -->"]))
)
def test_every_word_of_html_stays(pieces: list[str]) -> None:
    """Tags and comments part words, and none is lost or doubled."""
    assert text_of_html(" ".join(pieces)).count("word") == pieces.count("word")


def test_a_file_that_cannot_be_read_is_named() -> None:
    """In the handoff itself, so that both read of it."""
    result = found(
        multipart("mixed", part("text/plain", PLAIN), part("application/pdf", b"%PDF", FILE + "a.pdf"))
    )
    assert result.text.startswith("(Attached to the mail, and not part of this handoff: a.pdf.)\n\n")
    assert read_sections(result.text).left == ("call J\u00fcrgen",)


def test_a_second_file_and_words_beside_it_are_kept() -> None:
    """But for a line that only points at them."""
    files = (
        part("text/markdown", text, FILE + name)
        for text, name in ((PLAIN, "left.md"), ("the plumber", "more.md"))
    )
    result = found(
        multipart("mixed", part("text/plain", "Hi Elaine, two files.\n\nAlso: ask Rosa\n"), *files)
    )
    for words in ("call J\u00fcrgen", "the plumber", "Also: ask Rosa"):
        assert words in result.text
    assert "two files" not in result.text
    assert result.source == "the attached file left.md, the attached file more.md and the text of the mail"


def test_a_mail_that_was_forwarded_with_it_is_told_of() -> None:
    """It is cut off, as somebody else wrote it."""
    text = (
        "take over please, see below\r\n\r\n-----Original Message-----\r\nFrom: Jim\r\n\r\nsend draft 3\r\n"
    )
    result = found(mail("Subject: Fwd: contract", body=text.encode()))
    assert "was forwarded with it is left out" in result.text
    assert "draft 3" not in result.text


def test_a_mail_forwarded_without_a_word_is_no_handoff() -> None:
    """What Gmail writes above it is not one."""
    fields = "From: Jim\r\nDate: Monday\r\nSubject: x\r\nTo: L\r\n"
    text = f"---------- Forwarded message ---------\r\n{fields}\r\nsend draft 3\r\n"
    assert found(mail("Subject: Fwd: x", body=text.encode())).problem
