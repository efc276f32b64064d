"""What the house bans reaches every song of an artist."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.settings import SettingsError, load_settings
from models.artist import Equipment
from models.engines import resolve_track_plan
from tests.workflows.artists import request
from workflows.life import Life


def test_what_an_artist_was_born_with_is_banned_in_its_tracks() -> None:
    banned = ("sea", "by the hand")
    life = Life(request(equipment=Equipment(plan=resolve_track_plan({}), banned=banned)), datetime.now(UTC))
    assert life.begin(datetime.now(UTC)).banned == banned


def test_the_houses_list_is_read_and_a_bad_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "banned.txt"
    monkeypatch.setenv("LABEL_BANNED_WORDS_FILE", str(file))
    label = load_settings(env_file=None).label
    with pytest.raises(SettingsError) as caught:
        label.banned_words()
    assert caught.value.field == "LABEL_BANNED_WORDS_FILE"
    file.write_text("# not these\nsea\n\n by the hand \n", encoding="utf-8")
    assert label.banned_words() == ("sea", "by the hand")
    file.write_text("x\n" * 401, encoding="utf-8")
    with pytest.raises(SettingsError, match="400"):
        label.banned_words()


def test_artists_without_a_list_ban_nothing() -> None:
    assert load_settings(env_file=None).label.banned_words() == ()
