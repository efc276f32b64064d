"""What goes out to Telegram goes out once, says all there is to decide on, and is taken back when it is decided."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.approvals.base import LARGEST, Showing
from activities.approvals.telegram import TelegramMessenger
from activities.approvals.telegram_card import CAPTION_LIMIT, DATA_LIMIT, Action, Press, caption
from models.approval import Decision, Question, QuestionState, Reviewer, Verdict
from models.errors import InvalidInput, ProviderFault
from models.quality import Figure, Sense
from tests.telegram.server import TOKEN, Refused, TelegramServer, buttons_of, telegram_server, text_of
from tests.workflows.studio import artifact

ANA = Reviewer(id="ana", name="Ana", telegram_chat=7)
FIGURES = tuple(Figure(name=f"figure_{i}", value=float(i), sense=Sense.AT_MOST, reach=100) for i in range(40))


class Memory:
    """Notices without a database."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, str], str] = {}

    async def notice(self, question_id: str, channel: str) -> str | None:
        return self.sent.get((question_id, channel))

    async def put_notice(self, question_id: str, channel: str, message_id: str) -> None:
        self.sent.setdefault((question_id, channel), message_id)


@pytest.fixture(scope="module")
def server() -> Iterator[TelegramServer]:
    with telegram_server() as running:
        yield running


@pytest.fixture
def telegram(server: TelegramServer) -> TelegramServer:
    server.messages.clear()
    server.calls.clear()
    server.refuse.clear()
    return server


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(1_000))
    return path


@pytest.fixture
def messenger(telegram: TelegramServer) -> TelegramMessenger:
    return TelegramMessenger(TOKEN, telegram.url, Memory())


def question(**changes: object) -> Question:
    values = {
        "question_id": "render-1.1",
        "work_id": "render-1",
        "round": 1,
        "title": "Third quarter",
        "video": artifact("film", "video/mp4"),
        "thumbnail": artifact("still", "image/jpeg"),
        "figures": FIGURES[:3],
        "segments": 12,
    }
    return Question.model_validate(values | changes)


async def test_each_message_goes_out_once_however_often_it_is_retried(
    telegram: TelegramServer, messenger: TelegramMessenger, film: Path
) -> None:
    for _ in range(3):
        await messenger.ask(question(), ANA, Showing(film, "http://link"))
        await messenger.remind(question(), ANA, 1)
    await messenger.remind(question(), ANA, 2)
    asked, first, second = telegram.messages.values()
    assert telegram.files[asked["video"]["file_id"]][4:8] == b"ftyp"
    assert first["reply_to_message"]["message_id"] == second["reply_to_message"]["message_id"] == asked["message_id"]


class Died(Exception):
    """The process was killed here."""


class Forgetful(Memory):
    """A sender that dies between Telegram's answer and its note, once."""

    def __init__(self) -> None:
        super().__init__()
        self.dies = True

    async def put_notice(self, question_id: str, channel: str, message_id: str) -> None:
        if self.dies:
            self.dies = False
            raise Died
        await super().put_notice(question_id, channel, message_id)


async def test_a_message_whose_sender_died_before_noting_it_can_never_be_pressed(
    telegram: TelegramServer, film: Path
) -> None:
    messenger = TelegramMessenger(TOKEN, telegram.url, Forgetful())
    with pytest.raises(Died):
        await messenger.ask(question(), ANA, Showing(film, "http://link"))
    await messenger.ask(question(), ANA, Showing(film, "http://link"))
    lost, noted = telegram.messages.values()
    assert buttons_of(lost) == []
    assert len(buttons_of(noted)) == 2
    await messenger.close(question(), ANA, QuestionState.APPROVED, ())
    assert [buttons_of(message) for message in telegram.messages.values()] == [[], []]


async def test_a_sender_that_died_before_the_buttons_gives_them_to_the_same_message(
    telegram: TelegramServer, messenger: TelegramMessenger, film: Path
) -> None:
    telegram.refuse["editmessagereplymarkup"] = Refused(502, "Bad Gateway")
    with pytest.raises(ProviderFault):
        await messenger.ask(question(), ANA, Showing(film, "http://link"))
    telegram.refuse.clear()
    await messenger.ask(question(), ANA, Showing(film, "http://link"))
    (message,) = telegram.messages.values()
    assert len(buttons_of(message)) == 2


async def test_a_reminder_stands_for_a_question_that_could_not_be_sent_and_is_taken_back_like_it(
    telegram: TelegramServer, messenger: TelegramMessenger, film: Path
) -> None:
    telegram.refuse["sendvideo"] = Refused(403, "Forbidden: bot was blocked by the user")
    await messenger.ask(question(), ANA, Showing(film, "http://link"))
    for _ in range(2):
        await messenger.remind(question(), ANA, 1)
    (reminder,) = telegram.messages.values()
    assert len(buttons_of(reminder)) == 2
    await messenger.close(question(), ANA, QuestionState.EXPIRED, ())
    assert buttons_of(reminder) == []
    assert "Expired" in text_of(reminder)


async def test_closing_takes_the_buttons_away_and_says_who_decided_what_twice_is_once(
    telegram: TelegramServer, messenger: TelegramMessenger, film: Path
) -> None:
    verdict = Verdict(
        verdict_id="v", question_id="render-1.1", sha256=question().video.sha256, reviewer="ben",
        decision=Decision.REJECT, reason="off_brand",
    )  # fmt: skip
    await messenger.close(question(), ANA, QuestionState.REJECTED, (verdict,))
    assert telegram.messages == {}
    await messenger.ask(question(), ANA, Showing(film, "http://link"))
    for _ in range(2):
        await messenger.close(question(), ANA, QuestionState.REJECTED, (verdict,))
    (message,) = telegram.messages.values()
    assert buttons_of(message) == []
    assert text_of(message).endswith("Rejected\nben: reject (Off brand)")


async def test_of_a_film_beyond_telegrams_limit_the_beginning_is_shown_and_all_of_it_linked(
    telegram: TelegramServer, messenger: TelegramMessenger, film: Path
) -> None:
    large = question(video=artifact("film", "video/mp4").model_copy(update={"size": 3 * LARGEST}).model_dump())
    await messenger.ask(large, ANA, Showing(film, "http://example.com/film", whole=False))
    (message,) = telegram.messages.values()
    (link,) = message["caption_entities"]
    linked = text_of(message).encode("utf-16-le")[2 * link["offset"] :][: 2 * link["length"]].decode("utf-16-le")
    assert (link["type"], link["url"], linked) == ("text_link", "http://example.com/film", "The film (150 MB)")
    assert "The first 60 s." in text_of(message) and len(buttons_of(message)) == 2
    await messenger.close(large, ANA, QuestionState.EXPIRED, ())
    assert "Expired" in text_of(message)


async def test_what_is_too_large_all_the_same_is_linked(
    telegram: TelegramServer, messenger: TelegramMessenger, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.mp4"
    with huge.open("wb") as file:
        file.truncate(LARGEST + 1)
    await messenger.ask(question(), ANA, Showing(huge, "http://link/film"))
    (message,) = telegram.messages.values()
    assert "http://link/film" in text_of(message) and len(buttons_of(message)) == 2


async def test_a_song_is_sent_to_be_listened_to_once_before_its_film(
    telegram: TelegramServer, messenger: TelegramMessenger, film: Path, tmp_path: Path
) -> None:
    song, still = tmp_path / "song.mp3", tmp_path / "still.jpg"
    song.write_bytes(b"ID3" + bytes(1_000))
    still.write_bytes(b"\xff\xd8" + bytes(100))
    audio = artifact("master", "audio/wav").model_copy(update={"duration_ms": 91_000})
    asked = question(title="Vela Noor — Rain Light", audio=audio.model_dump(), parts=("lyrics",))
    telegram.refuse["sendvideo"] = Refused(502, "Bad Gateway")
    with pytest.raises(ProviderFault):
        await messenger.ask(asked, ANA, Showing(film, "http://link", song=song, still=still))
    telegram.refuse.clear()
    await messenger.ask(asked, ANA, Showing(film, "http://link", song=song, still=still))
    heard, seen = telegram.messages.values()
    sent = heard["audio"]
    assert (sent["title"], sent["performer"], sent["duration"]) == ("Rain Light", "Vela Noor", 91)
    assert telegram.files[sent["file_id"]][:3] == b"ID3"
    assert telegram.files[sent["thumbnail"]["file_id"]][:2] == b"\xff\xd8"
    assert "video" in seen and len(buttons_of(seen)) == 2 and buttons_of(heard) == []


@pytest.mark.parametrize("status", [500, 502, 429])
async def test_an_outage_of_telegram_passes_and_the_message_goes_out_once(
    telegram: TelegramServer, messenger: TelegramMessenger, film: Path, status: int
) -> None:
    telegram.refuse["sendvideo"] = Refused(status, "Too Many Requests: retry after 1" if status == 429 else "Oops")
    with pytest.raises(ProviderFault) as caught:
        await messenger.ask(question(), ANA, Showing(film, "http://link"))
    assert caught.value.retryable
    telegram.refuse.clear()
    await messenger.ask(question(), ANA, Showing(film, "http://link"))
    assert len(telegram.messages) == 1


async def test_a_server_that_is_away_is_an_outage_too(film: Path) -> None:
    with pytest.raises(ProviderFault):
        await TelegramMessenger(TOKEN, "http://127.0.0.1:1", Memory()).ask(
            question(), ANA, Showing(film, "http://link")
        )


@pytest.mark.parametrize(
    ("token", "refusal"),
    [
        (TOKEN, Refused(403, "Forbidden: bot was blocked by the user")),
        (TOKEN, Refused(400, "Bad Request: chat not found")),
        ("43:wrong", None),
    ],
)
async def test_a_reviewer_or_a_token_that_telegram_refuses_does_not_stop_the_render(
    telegram: TelegramServer, film: Path, token: str, refusal: Refused | None
) -> None:
    if refusal:
        telegram.refuse["sendvideo"] = refusal
    await TelegramMessenger(token, telegram.url, Memory()).ask(question(), ANA, Showing(film, "http://link"))
    assert telegram.messages == {}


def test_a_caption_fits_and_puts_first_what_does_not_hold() -> None:
    poor = Figure(name="lip_correlation", value=None, sense=Sense.AT_LEAST, reach=0.85)
    words = caption(question(title="T" * 120, figures=(*FIGURES[:39], poor)))
    assert len(words) <= CAPTION_LIMIT
    lines = words.splitlines()
    assert "Below its thresholds" in lines[2]
    assert next(line for line in lines if line.startswith(("✓", "✗"))) == "✗ lip_correlation: not measured (>= 0.85)"


def test_a_button_says_what_it_is_about_and_reads_back_the_same() -> None:
    press = Press.on(question(), Action.REJECT, "factual_error")
    assert Press.read(press.data) == press
    assert len(press.data.encode()) <= DATA_LIMIT
    with pytest.raises(InvalidInput, match="too long"):
        _ = Press.on(question(question_id="x" * 60), Action.APPROVE).data
    for other in ("", "x", "ok|b", "what||12345678|render-1.1"):
        assert Press.read(other) is None
