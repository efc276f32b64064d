"""``python -m api``: serve the API until told to stop."""

import logging
import sys

import structlog
import uvicorn

from api.app import create_app
from deploy.settings import Settings, load_settings
from models.errors import StudioError

REQUIRED = ("TEMPORAL_ADDRESS", "DATABASE_URL", "JWT_PUBLIC_KEY_FILE")
GRACE_SECONDS = 5
"""Longer than any answer takes; streams of events end by themselves when the server stops."""


def write_events(settings: Settings) -> None:
    """Log events as lines of JSON on standard output, from the configured level up."""
    level = logging.getLevelNamesMapping()[settings.studio.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )


def main() -> int:
    """Serve."""
    try:
        settings = load_settings(*REQUIRED)
        app = create_app(settings)
    except StudioError as error:
        sys.stderr.write(f"{error.message}\n{error.action}\n")
        return 2
    write_events(settings)
    uvicorn.run(
        app,
        host=settings.api.host,
        port=settings.api.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
