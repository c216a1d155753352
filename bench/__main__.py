"""All benchmarks in turn: `python -m bench`, or some of them: `python -m bench archive`."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NO_BENCHMARKS = {"__init__", "__main__"}


def names() -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NO_BENCHMARKS)


def main(wanted: list[str]) -> int:
    """Run the benchmarks. Returns how many failed."""
    if unknown := set(wanted) - set(names()):
        print(f"No benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names())}.", file=sys.stderr)
        return 1
    failed = 0
    for name in wanted or names():
        print(f"# python -m bench.{name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
