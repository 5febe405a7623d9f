"""``mailrouter schema``: the JSON Schemas of both kinds of files, and the reference made from them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from mailrouter.config.schema import KINDS, file_name, schema_of, text_of
from mailrouter.errors import MailrouterError, UsageError


def schema(options: argparse.Namespace) -> int:
    """Print a schema or the reference, or write both schemas."""
    if options.output is not None:
        kinds = [options.kind] if options.kind else KINDS
        names = write(options.output, {file_name(kind): text_of(schema_of(kind)) for kind in kinds})
        print("\n".join(f"wrote {name}" for name in names))
    elif options.markdown:
        from mailrouter.config.schema.markdown import reference

        print(reference(schema_of("settings"), schema_of("role")), end="")
    elif options.kind:
        print(text_of(schema_of(options.kind)), end="")
    else:
        raise UsageError("name one, settings or role; or write both into a folder with --output DIR.")
    return 0


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write the texts into ``folder`` in place of what is there. Raises MailrouterError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise MailrouterError(
            f"{error.filename or folder} can't be written: {error.strerror or error}."
        ) from None
    return [folder / name for name in files]
