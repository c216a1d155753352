"""Every command of `manage.py` that is ours says in its help how it is called."""

import pytest
from django.core.management import get_commands, load_command_class

APPS = {"accounts", "rooms", "recordings", "moderation", "spaces_project"}
OURS = sorted((name, app) for name, app in get_commands().items() if app in APPS)


def test_all_are_found() -> None:
    assert {"runspaces", "runmedia", "recordings", "make_reviewer", "import_members"} <= {name for name, _ in OURS}


@pytest.mark.parametrize(("name", "app"), OURS, ids=lambda value: value)
def test_the_help_of_a_command_has_an_example(name: str, app: str) -> None:
    shown = load_command_class(app, name).create_parser("manage.py", name).format_help()
    assert f"manage.py {name}" in shown.partition("options:")[2]
