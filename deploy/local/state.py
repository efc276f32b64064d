"""What the local studio remembers between starts: its directory, the ports it found and the credentials it made."""

import json
import os
import random
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LOOPBACK = "127.0.0.1"

PORTS = range(12_000, 22_000)
"""Below the kernel's ephemeral range, so that no outgoing connection takes a remembered port; and 10,000 below a second
free range, because the object store derives one port from another by that distance."""
DERIVED_PORT_DISTANCE = 10_000

ROLES = ("viewer", "producer", "reviewer", "admin")
ISSUER = "greenroom-local"
AUDIENCE = "greenroom"
ALGORITHM = "EdDSA"
TOKEN_LIFE = timedelta(days=365)


@dataclass(frozen=True)
class Secrets:
    """Random credentials of the embedded servers."""

    database_password: str = field(repr=False)
    s3_key_id: str
    s3_key: str = field(repr=False)


class StateDirectory:
    """The directory all state lives in, for its owner only. Under root others may pass through it without listing it,
    because Postgres runs as ``nobody`` there; what processes write in it is closed to them."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
        self.logs = self._private("logs")
        self.lock = self.root / "lock"
        self.status = self.root / "status.json"
        self.weights = self.root / "weights"

    def _private(self, name: str) -> Path:
        directory = self.root / name
        directory.mkdir(exist_ok=True)
        directory.chmod(0o700)
        return directory

    def ports(self, names: Sequence[str]) -> dict[str, int]:
        """A free loopback port for each name: the remembered one unless somebody else took it meanwhile."""
        file = self.root / "ports.json"
        remembered: dict[str, int] = _read(file)
        found: dict[str, int] = {}
        for name in names:
            port = remembered.get(name, 0)
            taken = {*found.values(), *(other for key, other in remembered.items() if key != name)}
            found[name] = port if port and port not in found.values() and is_free(port) else find_port(taken)
        write_private(file, json.dumps({**remembered, **found}, indent=1))
        return found

    def secrets(self) -> Secrets:
        """The servers' credentials, made on first use."""
        file = self.root / "secrets.json"
        if not file.exists():
            made = Secrets(secrets.token_urlsafe(24), f"GR{secrets.token_hex(9).upper()}", secrets.token_urlsafe(30))
            write_private(file, json.dumps(vars(made), indent=1))
        return Secrets(**_read(file))

    def public_key(self) -> Path:
        """PEM file of the key that verifies the studio's own tokens; the pair is made on first use."""
        public = self._private("keys") / "public.pem"
        private = public.with_name("private.pem")
        if not (public.exists() and private.exists()):
            pair = Ed25519PrivateKey.generate()
            write_private(
                private,
                pair.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                ).decode(),
            )
            write_private(
                public,
                pair.public_key()
                .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
                .decode(),
            )
        return public

    def tokens(self) -> dict[str, str]:
        """One API token for each role, made with the key pair and made anew when the key changed or a year is nearly
        over."""
        public = self.public_key()
        file = self.root / "tokens.json"
        tokens: dict[str, str] = _read(file)
        if set(tokens) != set(ROLES) or not all(_lasts(token, public.read_text()) for token in tokens.values()):
            key = public.with_name("private.pem").read_text()
            tokens = {role: issue(key, subject=f"local-{role}", roles=(role,)) for role in ROLES}
            write_private(file, json.dumps(tokens, indent=1))
        return tokens


def issue(private_key: str, *, subject: str, roles: Sequence[str]) -> str:
    """A token of the local studio for ``subject``, valid for a year. ``private_key`` is the Ed25519 key as PEM."""
    now = datetime.now(UTC)
    claims = {
        "sub": subject,
        "roles": list(roles),
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + TOKEN_LIFE,
    }
    return jwt.encode(claims, private_key, algorithm=ALGORITHM, headers={"kid": ISSUER})


def _lasts(token: str, public_key: str) -> bool:
    try:
        claims = jwt.decode(token, public_key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER)
    except jwt.InvalidTokenError:
        return False
    return datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC) > timedelta(days=30)


def is_free(port: int) -> bool:
    """Whether ``port`` and the one derived from it can be listened on now."""
    return all(_can_listen(number) for number in (port, port + DERIVED_PORT_DISTANCE))


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        # Connections of a stopped server linger in TIME_WAIT; they do not hinder its successor.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def find_port(taken: set[int]) -> int:
    """A free port that is not in ``taken``. Random, so that two studios starting at once rarely meet."""
    for port in random.sample(PORTS, len(PORTS)):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {PORTS.start} and {PORTS.stop} on {LOOPBACK}")


def write_private(file: Path, text: str) -> None:
    """Replace ``file`` in one step, readable by its owner only from the first byte on."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    new.replace(file)


def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text())) if file.exists() else {}
