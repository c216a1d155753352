#!/usr/bin/env python
"""Command line of Spaces: `manage.py help` lists the commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from spaces_project.embedded import EmbeddedError
from spaces_project.standalone import servers_for


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spaces_project.settings")
    try:
        with servers_for(sys.argv):
            execute_from_command_line(sys.argv)
    except (EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main()
