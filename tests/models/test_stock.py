"""The stock performers the API names are those the engines have."""

import pytest

from activities.avatar.presenter import PresenterEngine
from activities.speech.hibari import HibariEngine
from activities.speech.kokoro_voices import VOICES
from models.errors import UnknownReference
from models.stock import LOOKS, STOCK_VOICES, require_look, require_stock_voice


def test_they_are_the_engines_own() -> None:
    assert tuple(sorted(LOOKS)) == PresenterEngine().looks()
    assert {"kokoro": set(VOICES), "hibari": set(HibariEngine().voices())} == {
        engine: set(voices) for engine, voices in STOCK_VOICES.items()
    }


def test_an_unknown_one_is_refused_with_those_there_are() -> None:
    require_look("mei")
    with pytest.raises(UnknownReference, match="'nobody'; there are: avery"):
        require_look("nobody")
    with pytest.raises(UnknownReference, match="it has: heart"):
        require_stock_voice("hibari", "af_heart")
    with pytest.raises(UnknownReference, match="learnt from samples"):
        require_stock_voice("xtts", "af_heart")
