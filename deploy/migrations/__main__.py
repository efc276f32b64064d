"""``python -m deploy.migrations upgrade``: Alembic's own command line, on the database that ``DATABASE_URL`` names."""

from alembic.config import CommandLine

from deploy.migrations import config
from deploy.settings import load_settings


def main() -> None:
    """Run Alembic's command line."""
    line = CommandLine(prog="python -m deploy.migrations")
    options = line.parser.parse_args()
    if not hasattr(options, "cmd"):
        line.parser.error("name a command, for example: upgrade head")
    line.run_cmd(config(str(load_settings().database.url)), options)


if __name__ == "__main__":
    main()
