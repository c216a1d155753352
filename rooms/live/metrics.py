"""What the sockets of a web process count; `/metrics` (`spaces_project.metrics`) shows it to Prometheus."""

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("spaces_sockets", "Web sockets that are open.", ["door"])
COMMANDS = Counter(
    "spaces_commands", "Frames of pages: the command, and done or the code of the refusal.", ["command", "outcome"]
)
