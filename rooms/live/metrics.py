"""What the websockets of a web process count. `spaces_project.metrics` shows it to Prometheus at `/metrics`."""

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("spaces_sockets", "Open websockets.", ["consumer"])
COMMANDS = Counter("spaces_commands", "Commands of pages, by outcome: `done`, or the code.", ["command", "outcome"])
