"""Greetings and closings of mails, in partners' languages. Pure.

Parts of expressions, to be compiled with ``re.IGNORECASE``; they read a line once, and match whole words only where
something that is no letter must follow.
"""

from __future__ import annotations

GREETING = (
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|hallo|moin|guten (?:morgen|tag|abend)|lieber?"
    r"|bonjour|bonsoir|salut|cher|chère|hola|buenos días|ciao|olá)"
)
CLOSING = (
    r"(?:(?:with |many )?(?:(?:best|kind|kindest|warm|many)?\s*+(?:regards|wishes|greetings)|all the best|best|cheers"
    r"|thanks(?: again| a lot)?|thank you(?: again)?|thx|(?:yours )?(?:sincerely|truly|faithfully)|yours|love|bye)"
    r"|(?:mit )?(?:viele|liebe|beste|freundliche|schöne|herzliche)n? grü(?:ß|ss)en?|grü(?:ß|ss)e|gruß|lg|vg|mfg|danke"
    r"|cordialement|bien à (?:toi|vous)|merci|bises|un saludo|saludos(?: cordiales)?|gracias|cordiali saluti|saluti"
    r"|atenciosamente|abraços?)"
)
