"""`manage.py doctor`: check everything that Spaces needs, and say how to fix each fault."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from accounts.shared.counting import counted
from spaces_project.doctor.checks import Finding, examine


class Command(BaseCommand):
    help = (
        "Checks addresses, ports, servers, storage and clocks, and says how to fix each fault. "
        "The exit code is 1 if there is a fault."
    )
    requires_system_checks = []

    def create_parser(self, *args: Any, **options: Any) -> Any:
        return super().create_parser(*args, epilog="Example: manage.py doctor", **options)

    def handle(self, **options: Any) -> None:
        findings = list(self.shown())
        faults = [finding for finding in findings if not finding.ok and not finding.warning]
        warnings = [finding for finding in findings if finding.warning]
        counts = {"check": findings, "fault": faults, "warning": warnings}
        self.stdout.write(", ".join(counted(len(found), what) for what, found in counts.items()))
        if faults:
            sys.exit(1)

    def shown(self) -> Any:
        for finding in examine():
            self.stdout.write(f"{self.mark(finding)} {finding.what}: {finding.detail}")
            if finding.mend:
                self.stdout.write(f"         {finding.mend}")
            yield finding

    def mark(self, finding: Finding) -> str:
        if finding.ok:
            return self.style.SUCCESS("good    ")
        return self.style.WARNING("warning ") if finding.warning else self.style.ERROR("FAULT   ")
