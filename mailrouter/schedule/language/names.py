"""The people in a request: partners by all their names, and who covers. Pure."""

from __future__ import annotations

from mailrouter.schedule.date_words import called
from mailrouter.schedule.language.lexer import Reader, Unclear, tokens
from mailrouter.schedule.model import Role

IS = ("is going to be", "am going to be", "will be", "'ll be", "'m", "'s", "'re", "am", "is", "are", "be")
_COVERS = (
    *("covers", "cover", "covering", "stands in", "stand in", "standing in", "steps in", "step in"),
    *("stepping in", "fills in", "fill in", "filling in", "takes over", "take over", "taking over"),
    *("works instead", "in instead"),
)


class People:
    """The partners of a role, as ``author`` (a partner's key) names them."""

    def __init__(self, role: Role, author: str) -> None:
        self.role, self.author = role, author
        self._names = _names(role)

    def read(self, reader: Reader, me: tuple[str, ...] = ("i",)) -> str | None:
        """The key of the partner who is named here, if one is; ``me`` are words for the author. Raises Unclear."""
        if reader.accept(*me):
            return self.author
        for name, key in self._names:
            if all(reader.peek(ahead).text == word for ahead, word in enumerate(name)):
                if key is None:
                    raise Unclear(f"Two people are called {' '.join(name).title()}; use the short name.")
                reader.at += len(name)
                return key
        return None

    def cover(self, reader: Reader, away: str | None) -> str | None:
        """The person who covers for ``away``, if named here; nobody is ``""``. Raises Unclear."""
        here = reader.at
        reader.skip("-")
        reader.accept("with")
        if reader.accept("nobody covers", "no cover", "without cover"):
            return ""
        if reader.accept("covered by", "cover by", "cover is", "cover :", "cover"):
            found = self.read(reader)
            if found is None:
                raise reader.odd()
            return found
        who = self.read(reader)
        if who is not None:
            reader.accept("will", "'ll", "can", *IS)
            if reader.accept(*_COVERS):
                if reader.accept("for"):
                    whom = self.read(reader, me=("me", "her", "him", "them"))
                    pronoun = reader.tokens[reader.at - 1].text in ("her", "him", "them")
                    if whom is None or (whom != away and not pronoun):
                        raise reader.odd()
                return who
        reader.at = here
        return None

    def not_oneself(self, cover: str, who: str) -> str | None:
        """The cover of ``who``, None for nobody. Raises Unclear."""
        if cover == who:
            raise Unclear(f"{called(self.role)[who]} can't cover for themselves.")
        return cover or None

    def other_than(self, who: str) -> str:
        """The only other partner. Raises Unclear where there are more, or none."""
        others = [person.key for person in self.role.partners if person.key != who]
        if len(others) != 1:
            raise Unclear('With whom? Write "swap Thursday with" and the name.')
        return others[0]


def _names(role: Role) -> list[tuple[tuple[str, ...], str | None]]:
    """All that the partners can be called, the longest first; None for a name that two have."""
    found: dict[tuple[str, ...], str | None] = {}
    for person in role.partners:
        for name in {person.key, person.name, person.first_name, called(role)[person.key]}:
            words = tuple(token.text for token in tokens(name))
            found[words] = person.key if found.get(words, person.key) == person.key else None
    for person in role.partners:  # a short name is one partner's alone
        found[tuple(token.text for token in tokens(person.key))] = person.key
    return sorted(found.items(), key=lambda pair: -len(pair[0]))
