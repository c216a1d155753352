"""The table of settings in docs/operating/settings.md is that of the code."""

import subprocess
import sys

import pytest

from spaces_project.management.commands import settings_table
from tests.rig import documents
from tests.rig.machine import CHECKOUT


def test_the_table_in_the_docs_is_current() -> None:
    page = (documents.FOLDER / "settings.md").read_text(encoding="utf-8")
    assert settings_table.with_table(page) == page, "run `manage.py settings_table` and commit the page"


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="markers"):
        settings_table.with_table("# Operating")


def test_every_variable_has_a_sentence() -> None:
    code = "from spaces_project import settings, env;"
    code += "print([row.name for row in env.TABLE if not row.meaning.endswith('.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
