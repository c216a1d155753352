"""`manage.py settings_table`: write the table of settings into docs/operating/settings.md."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from spaces_project import env

BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"
HEAD = "| Variable | Kind | Without it | Meaning |\n|---|---|---|---|\n"


def table() -> str:
    """The settings as a Markdown table, in the order of settings/."""
    rows = (
        f"| {_names(row)} | {row.kind} | {f'`{row.default}`' if row.default else '-'} | {row.meaning} |\n"
        for row in env.TABLE
    )
    return HEAD + "".join(rows)


def _names(row: env.Variable) -> str:
    return f"`{row.name}` or `{row.name}_FILE`" if row.from_file else f"`{row.name}`"


def with_table(text: str) -> str:
    """The page with the present table between its two markers. Raises ValueError if they are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the markers {BEGIN} and {END} are missing")
    return f"{before}{begin}\n{table()}{end}{after}"


class Command(BaseCommand):
    help = "Writes the table of settings into docs/operating/settings.md."
    requires_system_checks = []

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog="Example: manage.py settings_table", **options)

    def handle(self, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / "docs" / "operating" / "settings.md"
        try:
            page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
        except ValueError as error:
            raise CommandError(f"{page}: {error}") from None
