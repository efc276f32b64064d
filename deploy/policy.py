"""``python -m deploy.policy check FILE``: whether a file is a policy; where it is not, which line and why."""

import argparse
import sys
from pathlib import Path

from models.errors import StudioError
from models.policy_text import read_policy


def check(file: Path) -> list[str]:
    """What the policy in ``file`` says of itself. Raises PolicyRejected that names the line."""
    policy, sha256 = read_policy(file.read_text(encoding="utf-8"))
    return [
        f"{file}: version {policy.version}, sha256 {sha256}",
        *(f"{rule.decision:<6} {rule.id:<28} {rule.why}" for rule in policy.rules),
        *(f"block  {clause.id:<28} {clause.why}" for clause in policy.blocked),
        *(f"demand {clause.id:<28} {clause.why}" for clause in policy.required),
    ]


def main(arguments: list[str]) -> int:
    """2 when it is no policy."""
    parser = argparse.ArgumentParser(prog="python -m deploy.policy", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="is this file a policy?")
    checking.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    try:
        sys.stdout.write("\n".join(check(given.file)) + "\n")
    except StudioError as error:
        sys.stderr.write(f"{given.file}: {error.message}\n{error.action}\n")
        return 2
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{given.file}: cannot be read: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
