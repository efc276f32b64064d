"""A policy as people write it: YAML, where a name given twice is an error and every mistake has its line."""

import hashlib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from models.errors import InvalidInput
from models.policy import Policy

MAX_CHARACTERS = 400_000


class PolicyRejected(InvalidInput):
    """The text is no policy."""

    code = "policy.rejected"
    action = "Correct the policy at the named place, and check it again."


def read_policy(text: str) -> tuple[Policy, str]:
    """The policy in ``text``, and the sha256 of the text itself. Raises PolicyRejected that names the line."""
    if len(text) > MAX_CHARACTERS:
        raise PolicyRejected(f"{len(text)} characters; at most {MAX_CHARACTERS}", field="policy")
    data = _parsed(text)
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "policy"
        at = _line(data, first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise PolicyRejected(f"line {at}, {place}: {first['msg']}{more}", field=place[:200]) from error
    return policy, hashlib.sha256(text.encode()).hexdigest()


def _parsed(text: str) -> Any:
    # Round-trip data are plain dicts and lists that remember their lines. Nothing in it makes other objects.
    reader = YAML(typ="rt", pure=True)
    try:
        data = reader.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = str(error.problem or error.context or "is no YAML").split("\n")[0]
        raise PolicyRejected(f"line {line}: {what}", field="policy") from error
    except YAMLError as error:
        raise PolicyRejected(str(error).split("\n")[0][:500], field="policy") from error
    if not isinstance(data, dict):
        raise PolicyRejected("line 1: a policy is a mapping of names to values", field="policy")
    return data


def _line(data: Any, place: Sequence[int | str]) -> int:
    """The line, counted from 1, where ``place`` is written, or the nearest thing around it that is."""
    line = 1
    for step in place:
        known = getattr(data, "lc", None)
        try:
            at = known.key(step) if isinstance(data, dict) else known.item(step)  # type: ignore[union-attr]
            line, data = at[0] + 1, data[step]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return line
