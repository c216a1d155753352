"""The logs of all processes, by structlog: one line each, for people in a demonstration and as JSON otherwise."""

import logging
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied

from spaces_project.version import __version__

COMMON: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# These log a line for each job or check.
TALKATIVE = ["daphne", "aioice", "celery.app.trace", "celery.beat", "celery.worker.strategy"]
SECURITY = "spaces.security"  # accounts.security_log; logged also if LOG_LEVEL is higher
HIDDEN = {"authorization", "cookie", "credential", "password", "secret", "sessionid", "token"} | {"__host-sessionid"}


def hide_secrets(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Hide values whose name is that of a secret, however deep they lie in an event."""
    return {name: _without_secrets(name, value) for name, value in event.items()}


def _without_secrets(name: object, value: Any) -> Any:
    if str(name).lower() in HIDDEN:
        return "***"
    if isinstance(value, dict):
        return {key: _without_secrets(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets("", inner) for inner in value]
    return value


def shorten_refusals(record: logging.LogRecord) -> bool:
    """Log a refused page as a warning in one line, without a traceback through Django."""
    if record.exc_info and isinstance(record.exc_info[1], PermissionDenied):
        record.exc_info = record.exc_text = None
    return True


def log_start(process: str) -> None:
    """Log that a process starts, and of which version it is."""
    structlog.get_logger(__name__).info("started", process=process, version=__version__)


def configure(level: str, as_json: bool) -> dict[str, Any]:
    """Set structlog up, and return Django's LOGGING, which gives the loggers of libraries the same form."""
    structlog.configure(
        processors=[*COMMON, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*COMMON, structlog.stdlib.ExtraAdder()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    hide_secrets,
                    *_renderers(as_json),
                ],
            }
        },
        "filters": {"refusals": {"()": lambda: shorten_refusals}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
        "root": {"handlers": ["out"], "level": level.upper()},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            **{name: {"level": "WARNING"} for name in TALKATIVE},
            SECURITY: {"level": "INFO"},
        },
    }


def _renderers(as_json: bool) -> list[structlog.typing.Processor]:
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # If the library `rich` is installed, tracebacks would show the values of variables, secrets among them.
    return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
