"""What the studio remembers: credentials nobody else may read, ports that stay until somebody takes one."""

import socket
import stat
from pathlib import Path

import jwt
import pytest

from deploy.local.state import ALGORITHM, AUDIENCE, ISSUER, LOOPBACK, ROLES, StateDirectory


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_credentials_are_for_their_owner_only_whatever_the_umask(state: StateDirectory) -> None:
    state.secrets()
    state.tokens()
    state.ports(["a"])
    for name in ("secrets.json", "tokens.json", "ports.json", "keys/private.pem"):
        assert mode(state.root / name) == 0o600, name
    assert mode(state.root / "keys") == mode(state.logs) == 0o700


def test_credentials_are_random_and_kept(state: StateDirectory, tmp_path: Path) -> None:
    other = StateDirectory(tmp_path / "other")
    assert state.secrets() == StateDirectory(state.root).secrets()
    assert state.tokens() == StateDirectory(state.root).tokens()
    assert not set(vars(state.secrets()).values()) & set(vars(other.secrets()).values())


def test_there_is_a_token_for_each_role_that_the_public_key_verifies(state: StateDirectory) -> None:
    tokens = state.tokens()
    assert set(tokens) == set(ROLES)
    for role, token in tokens.items():
        key = state.public_key().read_text()
        claims = jwt.decode(token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER)
        assert claims["roles"] == [role]
        assert claims["sub"] == f"local-{role}"
        assert claims["exp"] - claims["iat"] == 365 * 24 * 3600
        assert jwt.get_unverified_header(token)["kid"]


def test_tokens_of_a_lost_key_are_made_anew(state: StateDirectory) -> None:
    before = state.tokens()
    (state.root / "keys" / "private.pem").unlink()
    after = state.tokens()
    assert not set(before.values()) & set(after.values())
    jwt.decode(after["admin"], state.public_key().read_text(), algorithms=[ALGORITHM], audience=AUDIENCE)


def test_ports_are_remembered(state: StateDirectory) -> None:
    names = ["temporal", "postgres", "s3"]
    found = state.ports(names)
    assert len(set(found.values())) == 3
    assert StateDirectory(state.root).ports(names) == found


def test_a_port_that_somebody_took_is_found_anew_and_the_others_stay(state: StateDirectory) -> None:
    before = state.ports(["temporal", "postgres"])
    with socket.socket() as stranger:
        stranger.bind((LOOPBACK, before["temporal"]))
        stranger.listen()
        after = state.ports(["temporal", "postgres"])
    assert after["temporal"] != before["temporal"]
    assert after["postgres"] == before["postgres"]
    assert state.ports(["temporal", "postgres"]) == after
