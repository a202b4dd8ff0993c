"""`make bench`: every benchmark, as tables."""

from rich.console import Console
from rich.table import Table

from benchmarks.scoring import measure_scoring
from models import latest_bundle, load_bundle

__all__: list[str] = []


def main() -> None:
    """Run and print."""
    bundle = load_bundle(latest_bundle())
    columns = {
        "what": "",
        "per_second": "comments/s",
        "p50_ms": "p50 ms",
        "p95_ms": "p95 ms",
        "ratio": "times the reference",
    }
    table = Table(*columns.values(), title=f"In process, bundle {bundle.version}")
    for row in measure_scoring(bundle):
        table.add_row(*(str(row.get(name, "")) for name in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
