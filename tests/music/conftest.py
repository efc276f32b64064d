"""Plans to compose by, and one composer for all tests of music."""

from activities.music.genres import GRAMMARS
from models.music import FormSection, Genre, GenreShare, Key, Mode, SectionKind, SongPlan

FORM = (
    FormSection(kind=SectionKind.INTRO, bars=2),
    FormSection(kind=SectionKind.VERSE, bars=4),
    FormSection(kind=SectionKind.CHORUS, bars=4),
    FormSection(kind=SectionKind.OUTRO, bars=2),
)


def plan(
    genre: Genre,
    *,
    form: tuple[FormSection, ...] = FORM,
    key: Key | None = None,
    instruments: tuple[str, ...] = (),
    also: Genre | None = None,
    tempo_bpm: float | None = None,
) -> SongPlan:
    shares = (
        (GenreShare(genre=genre, share=0.6), GenreShare(genre=also, share=0.4))
        if also
        else (GenreShare(genre=genre, share=1),)
    )
    return SongPlan(
        genres=shares,
        tempo_bpm=tempo_bpm or sum(GRAMMARS[genre].tempo) / 2,
        key=key or Key(tonic=9, mode=Mode.MINOR),
        form=form,
        instruments=instruments,
    )
