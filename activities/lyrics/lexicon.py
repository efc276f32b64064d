"""What the local writer writes with: phrases by theme and by their part in a line. Short, common words, which are
understood when they are sung; nothing explicit. Data only.

``images`` are whole clauses, ``moves`` clauses that go somewhere, ``wants`` clauses that lack an object; ``things`` are
such objects, ``places`` say where or when, ``ways`` say whereto.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """The phrases of a theme, and the words by which a request for it is known."""

    images: tuple[str, ...]
    moves: tuple[str, ...]
    wants: tuple[str, ...]
    things: tuple[str, ...]
    places: tuple[str, ...]
    ways: tuple[str, ...]
    known_by: tuple[str, ...] = ()


def _phrases(images: str, moves: str, wants: str, things: str, places: str, ways: str, known_by: str = "") -> Phrases:
    def parted(text: str) -> tuple[str, ...]:
        return tuple(" ".join(one.split()) for one in text.split("/"))

    return Phrases(
        parted(images), parted(moves), parted(wants), parted(things), parted(places), parted(ways),
        tuple(known_by.split()),
    )  # fmt: skip


THEMES = {
    "night drive": _phrases(
        "the lights are low / the road is mine / the stars are out / the city sleeps / the street is empty / the "
        "radio is playing / the engine sings / the night is young / the signs are glowing / the moon is riding",
        "I drive / we ride / I am driving / we are rolling / we are going / I keep on driving",
        "I follow / I can see / we are chasing / I am passing / we leave behind",
        "the white line / the open road / the city light / the midnight sky / the last train / the empty street / the "
        "neon sign / the moonlight / the highway / the morning star",
        "in the night / all night long / under the neon light / behind the wheel / by your side / on the road / after "
        "midnight / until the day / with the window down / at the end of the line / out on the highway",
        "into the night / down the road / out of this town / past the old town / through the dark / back to you / "
        "over the hill / far from here / to the edge of the day",
        "night drive car road highway neon midnight engine wheel",
    ),
    "ocean": _phrases(
        "the tide is high / the water is deep / the waves are breaking / the wind is calling / the sea is singing / "
        "the boats are sleeping / the moon is on the water / the salt is on my skin / the sails are open",
        "I swim / we sail / I am drifting / we are floating / I keep on sailing / we are sinking",
        "I can hear / I belong to / we are under / I will swim / we will follow",
        "the deep blue / the blue sea / the silver wave / the open water / the ocean floor / the sand / the tide / "
        "the summer wind / the harbor light / the sound of the sea",
        "on the sea / by the shore / under the wave / in the deep / in the blue / on the sand / below the moon / "
        "where the water is clear / in the ocean air / beneath the foam",
        "to the shore / across the sea / over the wave / into the blue / out with the tide / down below / to the "
        "golden sand / away from the land",
        "ocean sea wave tide coast beach harbor water sail",
    ),
    "leaving": _phrases(
        "the door is open / the train is leaving / the bags are packed / the house is quiet / the letter is written / "
        "the morning is cold / the room is empty / the phone is ringing / my heart is heavy",
        "I walk / I am leaving / we are leaving / I have to go / I turn and go / you walk",
        "I will remember / I leave you / I let go of / you can keep / I take / I will not need",
        "the key / the door / the good days / my old name / the songs we know / all of my love / the town / my only "
        "home / the light in your eyes / the last goodbye",
        "on the floor / at the door / in the rain / on my own / without a sound / without goodbye / one last time / "
        "by the gate / before the day",
        "out of the door / down the stairs / to the train / away from you / into the cold / from this town / away "
        "from it all / to another day",
        "leaving leave goodbye departure farewell escape gone",
    ),
    "first light": _phrases(
        "the sun is rising / the sky is turning / the birds are singing / the dark is over / the day is new / the "
        "light is growing / the world is waking / the clouds are golden / the window is open",
        "I wake / we rise / I am rising / we are waking / I open my eyes / we begin again",
        "I can see / I believe in / we are waiting for / I can feel / I am ready for / we will find",
        "the sun / the first light / a brand new day / the golden sky / the open air / the morning glow / a new song "
        "/ the color of day / the line of the hill",
        "in the light / in the morning sun / at the break of day / in the early glow / with the sun on my face / at "
        "dawn / all at once / for the first time / under a golden sky",
        "into the light / to the sun / out of the night / over the hill / into the day / up to the sky",
        "light dawn sunrise morning hope beginning spring first",
    ),
    "machines": _phrases(
        "the wheels are turning / the screens are glowing / the lights are blinking / the metal is cold / the signal "
        "is clear / the power is on / the line is open / the numbers are falling / the motor is running",
        "I run / we move / I am running / we keep on moving / I am counting / we are burning",
        "I can hear / we are building / I am reading / we can feel / I am made of / I will send",
        "a heart of steel / the machine / the code / the signal / a perfect line / the electric sound / a silver hand "
        "/ a human dream / the beat / the memory drive",
        "in the machine / on the line / in the wire / behind the screen / in perfect time / on the factory floor / "
        "under electric light / in a loop / in the code",
        "through the wire / into the machine / down the line / back to the start / over the air / through the static",
        "machine machines robot computer factory android future electric",
    ),
    "winter": _phrases(
        "the snow is falling / the world is white / the lake is frozen / the nights are long / the trees are bare / "
        "the wind is cold / the fire is low / the year is over / the ice is breaking",
        "I wait / we walk / I am waiting / we are sleeping / I keep walking / we are slowing",
        "I remember / we are dreaming of / I can see / I am waiting for / we will need",
        "the summer sun / the falling snow / the cold / a warm hand / the frozen ground / a coat of white / the "
        "spring / the winter sky / the first snow / the northern light",
        "in the snow / in the cold / under the snow / by the fireside / all winter long / in a white coat / in the "
        "frozen air / until the spring / on the ice",
        "through the snow / over the ice / into the white / back to the fireside / across the frozen ground",
        "winter snow ice cold frost december frozen",
    ),
    "city rain": _phrases(
        "the rain is falling / the street is shining / the sky is grey / the cars are passing / the town is sleeping "
        "/ the lamps are burning / the gutters sing / the crowd is moving / the clouds are low",
        "I walk / we run / I am walking / we are dancing / I keep walking / we are running",
        "I can hear / I remember / we are made of / I am looking for / I can taste",
        "the rain / the sound of rain / the city light / your yellow coat / the wet street / the last bus / your face "
        "/ the silver sky / a dry place / the old cafe",
        "in the rain / on the street / under the rain / down town / on a rainy day / below the city light / at the "
        "corner / in a doorway / in the crowd / after the rain",
        "through the rain / down the street / across the town / into the crowd / up the stairs / home in the rain",
        "city rain rainy street urban umbrella town",
    ),
    "memory": _phrases(
        "the picture is fading / the summer is gone / the song is playing / the years are flying / the tape is "
        "turning / the past is near / we were so young / the house is still there / the names are written",
        "I go back / we were running / I am falling / I was dreaming / I am going back",
        "I remember / I still hear / I can see / I am holding / you gave me / I keep",
        "your face / the old days / the way you smile / your name / the games we played / a photograph / the taste of "
        "summer / the songs we played / the sound of your voice / a place in time",
        "in my mind / long ago / in the back of my mind / in a dream / when we were young / in the old days / in the "
        "garden / on a summer day / in black and white",
        "back in time / to the start / through the years / back to yesterday / to another time / back to you",
        "memory memories nostalgia childhood past remember photograph",
    ),
    "fire": _phrases(
        "the flame is high / the night is burning / the sparks are flying / the coal is glowing / my heart is burning "
        "/ the smoke is rising / the match is lit / the heat is on / the embers glow",
        "I burn / we shine / I am burning / we are glowing / I keep on burning / we are catching fire",
        "I can feel / we are feeding / I am made of / we carry / I will light",
        "the flame / the heat / a burning heart / the fire / a thousand stars / the glow / a light in the dark / the "
        "red sky / a little spark / the candle flame",
        "in the flame / in the heat / in my heart / in the red light / by the fire / in the smoke / around the flame "
        "/ in the dark / until we are gold",
        "into the flame / through the fire / into the heat / up in smoke / up to the sky / out of the dark",
        "fire flame flames burning burn ember passion heat",
    ),
    "distance": _phrases(
        "the line is long / the miles are many / the stars are far / the sky is wide / the phone is silent / the "
        "nights are slow / the map is open / the world is wide / the moon is the same",
        "I call / I am reaching / we are turning / I am coming / we are drifting / I am flying",
        "I am missing / I can hear / I count / I am waiting for / I would cross / I send you",
        "the miles / your voice / the same moon / the sea and the land / the space / your hand / the long way / the "
        "stars / every mile / a word from you",
        "so far away / on the other side / under the same sky / in space / on the phone / across the line / a "
        "thousand miles away / in another land / from here",
        "across the land / over the sea / back to your side / across the sky / through time and space / to where you "
        "are",
        "distance distant far space stars horizon miles lonely longing away",
    ),
}  # fmt: skip

COMMON = _phrases(
    "my heart is open / I am not afraid / the time is now / we are not alone / I am still here / you are with me / "
    "love is a river / nothing is over / we have time / I am holding on / I believe it",
    "I run / I fly / we go / I am falling / we are flying / I will follow / I keep going / we will run / I can go / "
    "come with me / take me / carry me",
    "I need / I want / I will find / I can feel / tell me / show me / give me / I am looking for / we will find / I "
    "have / I will be / all I want is / I never lost / I dream of",
    "you / the way / a sign / my heart / my soul / the truth / your love / your hand / a reason / a better day / a "
    "place to stay / a heart of gold / a song / a little more time / a dream / the strength to stay / my home / peace "
    "/ a way to go / something to believe / somebody like you / the light / the end of the night / your side",
    "tonight / today / alone / again / with you / for you / on my own / all day long / all the time / in the dark / "
    "every night / every day / right here / all along / once more / in my dream / side by side / hand in hand / more "
    "and more / for a while / for all time / like before / and I know / and you know / if you stay / in my way / like "
    "a dream / like a song / as you go / when you call / when you go / where we belong / in the end / now and then",
    "home / away / to you / to the light / to the sky / to the end / to the start / to the river / all the way home / "
    "on and on / to the other side / into the unknown / far away / down to the ground / over the wall",
)
"""What fits every theme."""

SHORTS = (
    "stay", "away", "today", "one day", "no way", "we play", "okay", "I pray", "you say",
    "light", "tonight", "all right", "hold tight", "so bright", "the night", "we fight", "go",
    "let go", "so slow", "below", "hello", "the glow", "I know", "we grow", "high", "so high",
    "goodbye", "the sky", "oh why", "we fly", "we try", "you cry", "free", "with me", "so free",
    "the sea", "you see", "to be", "agree", "time", "shine", "be mine", "so fine", "one line",
    "a sign", "divine", "long", "so long", "hold on", "so strong", "belong", "my song", "come on",
    "home", "alone", "my own", "unknown", "a stone", "we roam", "now", "somehow", "right now",
    "my vow", "true", "with you", "so blue", "we do", "I knew", "come through", "anew", "rain",
    "again", "the pain", "remain", "the train", "insane", "more", "before", "the shore",
    "the door", "for sure", "we soar", "deep", "so deep", "asleep", "we keep", "my dream",
    "we seem", "a stream", "the beam", "fall", "we call", "the wall", "so small", "it all",
    "hear", "so near", "my dear", "no fear", "so clear", "the year", "ground", "around",
    "the sound", "we found", "so proud", "aloud",
)  # fmt: skip
"""Lines by themselves, for tunes of very few notes."""
OPENERS = ("and", "but", "now", "so", "oh", "tonight", "still", "maybe", "somewhere", "every night", "one more time",
           "all night long", "you know", "I know", "in the end", "only")  # fmt: skip
"""What may come before a clause."""
JOINERS = ("and", "while", "but", "and still")
"""What may come between two clauses."""
