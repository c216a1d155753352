#!/usr/bin/env python
"""Command line of Spaces: `manage.py help` lists the commands."""

import os
import sys

from django.core.management import execute_from_command_line

from spaces_project.faults import in_one_line
from spaces_project.machine.standalone import servers_for


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spaces_project.settings")
    with in_one_line(sys.argv), servers_for(sys.argv):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
