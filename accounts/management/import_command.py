"""What the two import commands share: read, import batch by batch, report faults and progress, end with a code."""

import argparse
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.importing.batches import Faults, Result
from accounts.importing.csv_rows import HeaderFault, Row, batches, read_rows
from accounts.shared.counting import counted


class ImportCommand(BaseCommand, ABC):
    """A subclass names the columns and the function that imports a batch."""

    what: ClassVar[str]  # the name of one row, such as "member"
    required: ClassVar[list[str]]
    optional: ClassVar[list[str]] = []
    example: ClassVar[str]
    batch_size: ClassVar[int]

    @abstractmethod
    def import_batch(self, rows: list[Row]) -> tuple[Result, Faults]:
        """Import one batch in a transaction of its own."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": f"Example:\n{self.example}", "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        columns = ", ".join(self.required + [f"{name} (optional)" for name in self.optional])
        parser.add_argument(
            "file",
            type=Path,
            help=f"CSV in UTF-8, separated by commas, semicolons or tabs; the first line names the columns: {columns}",
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        total, read = Result(), 0
        try:
            for batch in batches(read_rows(file, self.required, self.optional), self.batch_size):
                read += len(batch)
                self._import(batch, total)
                self.stdout.write(f"{counted(read, 'row')} read: {self._summary(total)}")
        except HeaderFault as error:
            raise CommandError(f"{file}: {error}") from None
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}") from None
        if total.faults:
            bad = counted(total.faults, "faulty row")
            raise CommandError(
                f"{bad} of {read:,}, named above; the others are imported. Correct the file, run this again."
            )
        self.stdout.write(self.style.SUCCESS(f"Done. {self._summary(total)}"))

    def _import(self, batch: list[Row], total: Result) -> None:
        result, faults = self.import_batch(batch)
        for line, fault in faults:
            self.stderr.write(f"line {line}: {fault}")
        total.added += result.added
        total.known += result.known
        total.faults += result.faults

    def _summary(self, total: Result) -> str:
        return f"{counted(total.added, f'new {self.what}')}, {total.known:,} already known, {total.faults:,} faulty"
