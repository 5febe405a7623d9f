"""The whole configuration of a service, as facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mailrouter.address import split_tag
from mailrouter.config.settings import Settings
from mailrouter.config.values.addresses import comparable
from mailrouter.errors import Problem
from mailrouter.schedule.model import Role

HERE, SYSTEM = Path("config"), Path("/etc/mailrouter")
"""Where the configuration is looked for when no folder is named."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration of ``folder``: the settings and the roles, by short name in alphabetical order."""

    folder: Path
    settings: Settings
    roles: tuple[Role, ...]
    warnings: tuple[Problem, ...] = ()
    _found: dict[str, Role] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for role in self.roles:
            self._found.update(dict.fromkeys((role.key, role.address, *role.aliases), role))

    def role_for(self, address_or_key: str) -> Role | None:
        """The role with this short name, address or alias. Case and sub-address (RFC 5233) do not matter."""
        if "@" not in address_or_key:
            return self._found.get(address_or_key.strip().lower())
        address = comparable(address_or_key)
        return self._found.get(address) or self._found.get(split_tag(address)[0])

    @property
    def addresses(self) -> frozenset[str]:
        """Every address and alias of every role, canonical."""
        return frozenset(a for role in self.roles for a in (role.address, *role.aliases))
