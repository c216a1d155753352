"""`manage.py doctor`: is everything there that Spaces needs, and what mends what is not."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from accounts.shared.counting import counted
from spaces_project.doctor.checks import Finding, examine


class Command(BaseCommand):
    help = (
        "Checks addresses, ports, servers, storage and clock; names the mend for each fault. Exit 1 when one is found."
    )
    requires_system_checks = []

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
