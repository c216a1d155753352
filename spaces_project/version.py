"""The version of Spaces. It stands in `pyproject.toml` and nowhere else."""

import tomllib
from pathlib import Path

PROJECT_FILE = Path(__file__).resolve().parent.parent / "pyproject.toml"


def read_version(project_file: Path) -> str:
    """The version that a `pyproject.toml` names (PEP 621)."""
    with project_file.open("rb") as file:
        version: str = tomllib.load(file)["project"]["version"]
    return version


__version__ = read_version(PROJECT_FILE)
