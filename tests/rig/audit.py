"""Known vulnerabilities of the locked versions, as pip-audit finds them.

`python -m tests.rig.audit` fails if a locked version has one. If the registry does not answer or does not know the
packages, it says what was not audited and does not fail.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
#: Without pip, nothing is downloaded: pip-audit takes names and versions from the lock file and asks about them.
PIP_AUDIT = (
    "pip_audit",
    "--disable-pip",
    "--require-hashes",
    "--progress-spinner=off",
    "--timeout=15",
    "--format=json",
)


def verdict(name: str, dependencies: list[dict[str, Any]]) -> tuple[str, bool]:
    """What is to be said about the lock file `name`, and whether its versions have no known vulnerability."""
    unknown = [one["name"] for one in dependencies if "skip_reason" in one]
    bad = [f"{one['name']} {one['version']}: {_known(one)}" for one in dependencies if one.get("vulns")]
    said = [f"{name}: {len(dependencies) - len(unknown)} of {len(dependencies)} packages audited", *bad]
    if unknown:
        said.append(f"NOT AUDITED, the registry has no data on: {_named(unknown, dependencies)}")
    return "\n  ".join(said), not bad


def _named(unknown: list[str], dependencies: list[dict[str, Any]]) -> str:
    return ", ".join(unknown) if len(unknown) < len(dependencies) else "all"


def _known(dependency: dict[str, Any]) -> str:
    faults = [f"{one['id']}, fixed in {', '.join(one['fix_versions']) or 'no version'}" for one in dependency["vulns"]]
    return "; ".join(faults)


def audit(name: str) -> tuple[str, bool]:
    command = [sys.executable, "-m", *PIP_AUDIT, "--requirement", str(ROOT / name)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        return verdict(name, json.loads(done.stdout)["dependencies"])
    except subprocess.TimeoutExpired:
        return f"{name}: NOT AUDITED, the registry did not answer within 300 s", True
    except json.JSONDecodeError:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        return f"{name}: NOT AUDITED, pip-audit ended with: {last[0]}", True


def main() -> int:
    verdicts = [audit(name) for name in LOCKS]
    print(*(said for said, _ in verdicts), sep="\n")
    return 0 if all(clean for _, clean in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
