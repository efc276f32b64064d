"""Who is calling and what they may do: signed tokens, verified against the operator's public keys, and four roles."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field, ValidationError

from deploy.settings import Jwt, SettingsError
from models.approval import Principal
from models.base import Contract, Slug
from models.errors import Forbidden, Unauthenticated

CLOCK_SKEW_SECONDS = 10


class Role(StrEnum):
    """What a token allows."""

    VIEWER = "viewer"
    PRODUCER = "producer"
    REVIEWER = "reviewer"
    ADMIN = "admin"


ENOUGH = {
    Role.VIEWER: frozenset(Role),
    Role.PRODUCER: frozenset({Role.PRODUCER, Role.ADMIN}),
    Role.REVIEWER: frozenset({Role.REVIEWER, Role.ADMIN}),
    Role.ADMIN: frozenset({Role.ADMIN}),
}
"""For each role a route asks for, the roles that will do."""


class Caller(Contract):
    """Whoever holds the token. ``tenant`` bounds everything they see."""

    subject: Principal
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    tenant: Slug = "house"


class Verifier:
    """Checks tokens against one PEM key, or against a JSON Web Key Set (RFC 7517) by the token's ``kid``."""

    def __init__(self, settings: Jwt) -> None:
        self._settings = settings
        self._keys = _read_keys(settings)

    def caller(self, token: str) -> Caller:
        """Who the token speaks for. Raises Unauthenticated for any token that is not valid now, here, from ours."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(token),
                algorithms=[self._settings.algorithm],
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired", code="access.expired", action="Get a new token.") from None
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"the token is not valid: {error}") from None
        roles = claims.get("roles")
        known = frozenset(Role) & frozenset(roles if isinstance(roles, list) else ())
        if not known:
            raise Forbidden("the token carries none of the studio's roles", field="roles")
        try:
            return Caller(subject=claims["sub"], roles=known, tenant=claims.get("tenant", "house"))
        except ValidationError:
            raise Unauthenticated("the token's sub or tenant is not well-formed") from None

    def _key(self, token: str) -> Any:
        if isinstance(self._keys, jwt.PyJWKSet):
            kid = jwt.get_unverified_header(token).get("kid", "")
            try:
                return self._keys[kid].key
            except KeyError:
                raise jwt.InvalidKeyError(f"no key has the kid {str(kid)[:40]!r}") from None
        return self._keys


def _read_keys(settings: Jwt) -> str | jwt.PyJWKSet:
    file: Path | None = settings.public_key_file
    name = "JWT_PUBLIC_KEY_FILE"
    if file is None:
        raise SettingsError(f"{name} is not set", field=name, code="settings.missing")
    try:
        text = file.read_text(encoding="utf-8")
        if not text.lstrip().startswith("{"):
            jwt.get_algorithm_by_name(settings.algorithm).prepare_key(text)
            return text
        return jwt.PyJWKSet.from_json(text)
    except (OSError, ValueError, jwt.PyJWTError) as error:
        raise SettingsError(f"{name}: {file} holds no usable public key: {error}", field=name) from None


bearer = HTTPBearer(auto_error=False, description="A JWT with sub, roles (a list), iss, aud, exp, and tenant.")


def authenticate(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """The caller of this request. Raises Unauthenticated."""
    if credentials is None:
        raise Unauthenticated("this route needs a token")
    verifier: Verifier = request.app.state.verifier
    caller = verifier.caller(credentials.credentials)
    request.state.caller = caller.subject
    return caller


def require(role: Role) -> Any:
    """A dependency: the caller, if ``role`` or one that includes it is theirs. Raises Forbidden."""

    def check(caller: Annotated[Caller, Depends(authenticate)]) -> Caller:
        if not caller.roles & ENOUGH[role]:
            raise Forbidden(f"this needs the role {role}; the token has {', '.join(sorted(caller.roles))}")
        return caller

    return Depends(check)


Viewer = Annotated[Caller, require(Role.VIEWER)]
Producer = Annotated[Caller, require(Role.PRODUCER)]
ReviewerCaller = Annotated[Caller, require(Role.REVIEWER)]
Admin = Annotated[Caller, require(Role.ADMIN)]
