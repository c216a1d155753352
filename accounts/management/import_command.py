"""What the two import commands share: read, bring in batch by batch, tell faults and progress, end with a code."""

import argparse
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.importing.batches import Faults, Result
from accounts.importing.csv_rows import HeaderFault, Row, batches, read_rows
from accounts.shared.counting import counted


class ImportCommand(BaseCommand, ABC):
    """A subclass names the columns and the function that brings a batch in."""

    what: ClassVar[str]  # one of them
    required: ClassVar[list[str]]
    optional: ClassVar[list[str]] = []
    example: ClassVar[str]
    batch_size: ClassVar[int]

    @abstractmethod
    def bring_in(self, rows: list[Row]) -> tuple[Result, Faults]:
        """Bring one batch in, in a transaction of its own."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": f"Example:\n{self.example}", "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        columns = ", ".join(self.required + [f"{name} (may be missing)" for name in self.optional])
        parser.add_argument("file", type=Path, help=f"CSV in UTF-8; the first line names the columns: {columns}")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        total, read = Result(), 0
        try:
            for batch in batches(read_rows(file, self.required, self.optional), self.batch_size):
                read += len(batch)
                self._bring_in(batch, total)
                self.stdout.write(f"{counted(read, 'row')} read: {self._told(total)}")
        except HeaderFault as error:
            raise CommandError(f"{file}: {error}") from None
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}") from None
        if total.faults:
            are = "is" if total.faults == 1 else "are"
            raise CommandError(
                f"{total.faults:,} of {counted(read, 'row')} {are} bad, all others are in. Mend and run again."
            )
        self.stdout.write(self.style.SUCCESS(f"Done. {self._told(total)}"))

    def _bring_in(self, batch: list[Row], total: Result) -> None:
        result, faults = self.bring_in(batch)
        for line, fault in faults:
            self.stderr.write(f"line {line}: {fault}")
        total.added += result.added
        total.known += result.known
        total.faults += result.faults

    def _told(self, total: Result) -> str:
        return f"{counted(total.added, self.what)} new, {total.known:,} there already, {total.faults:,} bad"
