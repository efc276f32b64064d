"""Settings: what is written is read, and what is read by nobody is refused."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.settings import ROOT, SettingsError, example, known_names, load_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in known_names():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_the_example_file_is_current() -> None:
    assert (ROOT / ".env.example").read_text() == example(), "run 'make env-example'"


def test_the_example_file_may_be_used_as_it_is_with_every_line_uncommented(env_file: Path) -> None:
    lines = example().splitlines()
    env_file.write_text("\n".join(line.removeprefix("# ") for line in lines if line.startswith("# ") and "=" in line))
    loaded = load_settings(env_file=env_file).model_dump()
    loaded["studio"]["state_dir"] = ROOT / ".studio"
    assert loaded == load_settings(env_file=None).model_dump()


def test_the_environment_overrides_the_file(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("TEMPORAL_ADDRESS=file:7233\nS3_BUCKET=from-file\n")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "environment:7233")
    settings = load_settings(env_file=env_file)
    assert (settings.temporal.address, settings.s3.bucket) == ("environment:7233", "from-file")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("S3_BUKET", "S3_BUCKET"),
        ("TELEGRAM_TOKEN", "TELEGRAM_BOT_TOKEN"),
        ("GREENROOM_CPU_SLOT", "GREENROOM_CPU_SLOTS"),
        ("KOKORO_VOICE_DIR", "KOKORO_VOICES_DIR"),
        ("TEMPORAL_ADRESS", "TEMPORAL_ADDRESS"),
    ],
)
def test_a_name_that_nobody_reads_is_refused_with_the_nearest_known_one(
    name: str, nearest: str, env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text(f"{name}=x\n")
    with pytest.raises(SettingsError, match=rf"{name}.*{nearest}$"):
        load_settings(env_file=env_file)
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=rf"{name}.*{nearest}$") as refused:
        load_settings(env_file=None)
    assert refused.value.field == name


def test_names_that_other_programs_read_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "TEMPORAL_PROFILE",
        "TEMPORAL_CONFIG_FILE",
        "DATABASE_PATH",
        "PATH",
    ):
        monkeypatch.setenv(name, "x")
    load_settings(env_file=None)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GREENROOM_CPU_SLOTS", "many", "integer"),
        ("GREENROOM_QUALITY_WORD_ERROR_RATE", "7", "less than or equal to 1"),
        ("TELEGRAM_REVIEWERS", "priya", "user-id=reviewer"),
        ("JWT_ALGORITHM", "none", "EdDSA"),
        ("TELEGRAM_WEBHOOK_SECRET", "has spaces", "letters"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_name(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"^{name}: .*{says}"):
        load_settings(env_file=None)


def test_a_malformed_secret_is_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://user:hunter2@host/db")
    with pytest.raises(SettingsError) as refused:
        load_settings(env_file=None)
    assert "DATABASE_URL" in refused.value.message
    assert "hunter2" not in refused.value.message


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("TELEGRAM_BOT_TOKEN", "AWS_SECRET_ACCESS_KEY", "TEMPORAL_API_KEY", "TELEGRAM_WEBHOOK_SECRET")
    for name in secrets:
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hunter2@host/db")
    settings = load_settings(env_file=None)
    assert "hunter2" not in repr(settings)
    assert settings.database.url == SecretStr("postgresql+asyncpg://user:hunter2@host/db")


def test_a_required_setting_that_is_missing_is_named() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL is not set") as refused:
        load_settings("DATABASE_URL", env_file=None)
    assert refused.value.code == "settings.missing"


def test_a_webhook_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_WEBHOOK_URL", "https://studio.example/telegram")
    with pytest.raises(SettingsError, match="TELEGRAM_WEBHOOK_SECRET"):
        load_settings(env_file=None)


def test_reviewers_are_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_REVIEWERS", "1234=priya, 5678=sam")
    assert load_settings(env_file=None).telegram.reviewers == {1234: "priya", 5678: "sam"}


def test_a_relative_state_directory_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_STATE_DIR", "elsewhere")
    assert load_settings(env_file=None).studio.state_dir == ROOT / "elsewhere"
