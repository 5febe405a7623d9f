"""What each reader costs: ``python -m tests.bounded`` prints the table of docs/reliability.md."""

from __future__ import annotations

from tests.bounded import drawing, growth
from tests.bounded.readers import READERS, Reader

KILO = 1024


def worst(reader: Reader) -> tuple[str, float, float, float]:
    """The input that took longest: its name, growth for each doubling, milliseconds at 64 KB and at the bound."""
    made = list(drawing.mixed(reader.tokens, 24))
    name, make = max(made, key=lambda one: growth.seconds(reader.work, one[1](8 * KILO)))
    eight, sixty_four = (
        min(growth.seconds(reader.work, make(size * KILO)) for _ in range(3)) for size in (8, 64)
    )
    bound = min(growth.seconds(reader.work, make(max(reader.bound, 64 * KILO))) for _ in range(3))
    return name, (sixty_four / max(eight, 1e-6)) ** (1 / 3), sixty_four * 1000, bound * 1000


def main() -> None:
    """One row a reader."""
    speed = growth.speed()
    print(f"Speed {speed:.1f}: at 1.0 a reader may take {growth.MOST * 1000:.0f} ms.\n")
    print(
        "| reader | cut at, KB | worst input found | growth for twice the length | ms at 64 KB | ms at the cut |"
    )
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for reader in READERS:
        name, ratio, at_64, at_bound = worst(reader)
        shown = name.replace("|", "\\|")
        print(
            f"| {reader.name} | {reader.bound // KILO} | `{shown}` | {ratio:.1f} | {at_64:.1f} | {at_bound:.1f} |"
        )


if __name__ == "__main__":
    main()
