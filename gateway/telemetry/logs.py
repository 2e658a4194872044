"""The log: one line an event on standard error, for people or as JSON.

Events are constant texts with fields. Tracebacks have no local variables, which hold secrets and
take half a minute to print for a deep recursion.
"""

import logging
import re
import sys
import traceback
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

# Innermost frames: where it happened.
_FRAMES = 40
_SECRET = re.compile(
    r"(^|[_-])(api[_-]?key|authorization|cookie|credentials?|passwd|password|secret|token)$",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def configure(log_format: Literal["console", "json"], stream: TextIO = sys.stderr) -> None:
    """Call once a process. Other people's loggers (server, HTTP, GraphQL) are heard from WARNING."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_secrets,
    ]
    last = _rendering(log_format, colors=stream.isatty())
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def without_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Hides what is called like a secret, wherever it comes from."""
    for name, value in event.items():
        if _SECRET.search(name) and isinstance(value, (str, bytes)):
            event[name] = "***"
    return event


def plain_traceback(exc_info: ExcInfo) -> str:
    """What was raised and where, its causes included."""
    lines = traceback.format_exception(*exc_info, limit=-_FRAMES)
    return "".join(lines).rstrip("\n")


def _rendering(log_format: Literal["console", "json"], *, colors: bool) -> list[Processor]:
    if log_format == "json":
        exceptions = structlog.processors.ExceptionRenderer(plain_traceback)
        return [exceptions, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=_print_traceback, pad_event_to=0, pad_level=False
    )
    return [_on_one_line, console]


def _on_one_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Nothing that somebody sent can look like a line of its own."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], value)
    return event


def _print_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    stream.write("\n" + plain_traceback(exc_info))
