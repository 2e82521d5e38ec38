"""The figures as a table and as JSON."""

from bench.measuring import Figures
from bench.requests import PAGES

# Session, person, organization with membership: what every page of an organization begins with.
EVERY_PAGE = 3
HEADINGS = (
    "",
    "statements",
    "beyond 3",
    "p50 ms",
    "p95 ms",
    "cpu ms",
    "bytes",
    "x floor",
    "cpu x floor",
    "x shortest",
)


def rows(figures: dict[str, Figures]) -> list[dict[str, object]]:
    """One per measured request; ``floor_ratio``: its p50 as a multiple of the floor's of the same run.

    ``shortest_ratio``: of a list, as a multiple of the same list's at its shortest; None for what is no list.
    """
    floor = figures["floor"]
    return [
        {
            "name": name,
            "sql": one.sql,
            "p50_ms": round(one.p50_ms, 3),
            "p95_ms": round(one.p95_ms, 3),
            "bytes": one.bytes,
            "floor_ratio": round(one.p50_ms / floor.p50_ms, 2),
            "cpu_ms": round(one.cpu_ms, 3),
            "cpu_ratio": round(one.cpu_ms / floor.cpu_ms, 2),
            "shortest_ratio": (round(one.p50_ms / figures[one.shortest].p50_ms, 2) if one.shortest else None),
        }
        for name, one in figures.items()
    ]


def table(found: list[dict[str, object]]) -> str:
    lines = [HEADINGS]
    for row in found:
        beyond = str(int(str(row["sql"])) - EVERY_PAGE) if row["name"] in PAGES else "–"
        lines.append(
            (
                str(row["name"]),
                str(row["sql"]),
                beyond,
                f"{row['p50_ms']:.2f}",
                f"{row['p95_ms']:.2f}",
                f"{row['cpu_ms']:.2f}",
                f"{row['bytes']:,}",
                f"{row['floor_ratio']:.2f}",
                f"{row['cpu_ratio']:.2f}",
                f"{row['shortest_ratio']:.2f}" if row["shortest_ratio"] else "–",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
