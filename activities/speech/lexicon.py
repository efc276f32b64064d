"""What the normaliser knows by heart: units, currencies, abbreviations, acronyms and symbols of English. Data only."""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MONTH_NAMES = frozenset(name.casefold() for name in MONTHS) | frozenset(
    name[:3].casefold() for name in MONTHS
) | {"sept"}  # fmt: skip

SCALES = {
    "thousand": "thousand", "k": "thousand",
    "million": "million", "m": "million", "mn": "million", "mm": "million", "mio": "million",
    "billion": "billion", "b": "billion", "bn": "billion",
    "trillion": "trillion", "t": "trillion", "tn": "trillion", "trn": "trillion",
}  # fmt: skip
SIGNS = {
    "-": "minus", "−": "minus", "+": "plus", "~": "about", "±": "plus or minus", "+/-": "plus or minus",
    "<": "less than", ">": "more than", "≤": "at most", "≥": "at least",
}  # fmt: skip
CURRENCIES = {
    "$": ("dollar", "dollars", ("cent", "cents")),
    "US$": ("U S dollar", "U S dollars", ("cent", "cents")),
    "C$": ("Canadian dollar", "Canadian dollars", ("cent", "cents")),
    "A$": ("Australian dollar", "Australian dollars", ("cent", "cents")),
    "HK$": ("Hong Kong dollar", "Hong Kong dollars", ("cent", "cents")),
    "NZ$": ("New Zealand dollar", "New Zealand dollars", ("cent", "cents")),
    "S$": ("Singapore dollar", "Singapore dollars", ("cent", "cents")),
    "€": ("euro", "euros", ("cent", "cents")),
    "£": ("pound", "pounds", ("penny", "pence")),
    "¥": ("yen", "yen", ("sen", "sen")),
    "₹": ("rupee", "rupees", ("paisa", "paise")),
}
CURRENCY_CODES = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CAD": "C$", "AUD": "A$"}

UNITS = {
    "%": ("percent", "percent"), "‰": ("per mille", "per mille"), "pp": ("percentage point", "percentage points"),
    "bp": ("basis point", "basis points"), "bps": ("basis point", "basis points"),
    "x": ("times", "times"), "×": ("times", "times"),
    "mm": ("millimetre", "millimetres"), "cm": ("centimetre", "centimetres"), "m": ("metre", "metres"),
    "km": ("kilometre", "kilometres"), "m²": ("square metre", "square metres"), "m³": ("cubic metre", "cubic metres"),
    "km²": ("square kilometre", "square kilometres"), "in": ("inch", "inches"), "ft": ("foot", "feet"),
    "mi": ("mile", "miles"), "yd": ("yard", "yards"), "mph": ("mile per hour", "miles per hour"),
    "km/h": ("kilometre per hour", "kilometres per hour"), "kmh": ("kilometre per hour", "kilometres per hour"),
    "m/s": ("metre per second", "metres per second"),
    "mg": ("milligram", "milligrams"), "g": ("gram", "grams"), "kg": ("kilogram", "kilograms"),
    "t": ("tonne", "tonnes"), "lb": ("pound", "pounds"), "lbs": ("pound", "pounds"), "oz": ("ounce", "ounces"),
    "ml": ("millilitre", "millilitres"), "l": ("litre", "litres"), "L": ("litre", "litres"),
    "ms": ("millisecond", "milliseconds"), "s": ("second", "seconds"), "sec": ("second", "seconds"),
    "min": ("minute", "minutes"), "h": ("hour", "hours"), "hr": ("hour", "hours"), "hrs": ("hour", "hours"),
    "yr": ("year", "years"), "yrs": ("year", "years"),
    "KB": ("kilobyte", "kilobytes"), "kB": ("kilobyte", "kilobytes"), "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"), "TB": ("terabyte", "terabytes"), "PB": ("petabyte", "petabytes"),
    "Mbps": ("megabit per second", "megabits per second"), "Gbps": ("gigabit per second", "gigabits per second"),
    "Hz": ("hertz", "hertz"), "kHz": ("kilohertz", "kilohertz"), "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"), "W": ("watt", "watts"), "kW": ("kilowatt", "kilowatts"),
    "MW": ("megawatt", "megawatts"), "GW": ("gigawatt", "gigawatts"), "kWh": ("kilowatt hour", "kilowatt hours"),
    "MWh": ("megawatt hour", "megawatt hours"), "GWh": ("gigawatt hour", "gigawatt hours"),
    "V": ("volt", "volts"), "px": ("pixel", "pixels"), "dB": ("decibel", "decibels"),
    "°": ("degree", "degrees"), "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
}  # fmt: skip
"""Unit: (one, many)."""
AMBIGUOUS_UNITS = frozenset({"in", "m", "t", "s", "h", "x", "W", "V", "L", "l", "g", "×"})
"""Units only when written onto the number: "5 in" may go on "five in ten"."""
COUNTED = _words("users customers people subscribers dollars euros pounds shares units views downloads")
"""After "5m" these make it a count of millions, not metres."""


def unit(name: str, *, one: bool) -> str:
    """The spoken unit for one or for several."""
    return UNITS[name][0 if one else 1]


BEFORE_YEARS = _words("in since by from until till of during before after to through year circa around and")

ABBREVIATIONS = {
    "dr": "doctor", "mr": "mister", "mrs": "missus", "ms": "miz", "prof": "professor", "st": "saint", "jr": "junior",
    "sr": "senior", "vs": "versus", "v": "versus", "etc": "et cetera", "e.g": "for example", "i.e": "that is",
    "eg": "for example", "ie": "that is", "approx": "approximately", "est": "estimated", "dept": "department",
    "inc": "incorporated", "ltd": "limited", "corp": "corporation", "co": "company", "bros": "brothers",
    "gov": "governor", "gen": "general", "capt": "captain", "lt": "lieutenant", "sgt": "sergeant", "col": "colonel",
    "sen": "senator", "rep": "representative", "rev": "reverend", "hon": "honourable", "fig": "figure",
    "figs": "figures", "vol": "volume", "pp": "pages", "ext": "extension", "tel": "telephone", "ave": "avenue",
    "jan": "January", "feb": "February", "mar": "March", "apr": "April", "jun": "June", "jul": "July",
    "aug": "August", "sep": "September", "sept": "September", "oct": "October", "nov": "November", "dec": "December",
    "mon": "Monday", "tue": "Tuesday", "tues": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "thurs": "Thursday",
    "fri": "Friday",
}  # fmt: skip
"""Read out when a stop follows."""
WITHOUT_STOP = _words("dr mr mrs prof vs etc e.g i.e ltd")
"""These are read out without a stop as well."""

READINGS = {
    "OK": "okay", "Ok": "okay", "ok": "okay", "a.m": "A M", "p.m": "P M", "EBITDA": "ee bit dah", "EBIT": "ee bit",
    "GAAP": "gap", "SaaS": "sass", "PaaS": "pass", "IaaS": "I ass", "EMEA": "ee mee uh", "APAC": "ay pack",
    "LATAM": "lattam", "CapEx": "cap ex", "CAPEX": "cap ex", "OpEx": "op ex", "OPEX": "op ex", "JPEG": "jay peg",
    "HIPAA": "hippa", "REIT": "reet", "REITs": "reets", "SPAC": "spack", "LIBOR": "lie bore", "SOFR": "so fur",
    "IPv4": "I P V four", "IPv6": "I P V six", "iOS": "I O S", "macOS": "mac O S", "PhD": "P H D", "PhDs": "P H Dees",
    "ESOP": "ee sop", "w/o": "without", "w/": "with", "n/a": "not applicable", "N/A": "not applicable",
    "COO": "C O O", "USA": "U S A", "UAE": "U A E", "AAA": "triple A", "IEEE": "I triple E", "IoT": "I O T",
    "YoY": "year on year", "QoQ": "quarter on quarter", "MoM": "month on month", "kWh": "kilowatt hours",
    "DevOps": "dev ops", "GenAI": "gen A I", "24x7": "twenty-four seven",
}  # fmt: skip
"""Words whose spelling misleads."""

_SAID_AS_WORDS = _words(
    "NASA NATO OPEC UNICEF UNESCO ASEAN NASDAQ FIFA LASER RADAR COVID SWOT RAM ROM PIN SIM GIF FOMO LIDAR FINRA FEMA "
    "AIDS BRICS DACH NAFTA OSHA ERISA CERN SCRUM LEED CRUD NOW ALL NOT AND THE FOR BUT YES NO ARE CAN MUST NEVER EVERY "
    "VERY WILL OUR WE YOU ONE TWO NEW ANY WHY HOW WHO WHAT THIS THAT THEM HAVE BEEN MORE LESS BEST ONLY JUST TO OF ON "
    "AT BY AN AS IS BE SO IF OR UP MY HE ME DO GO ZIP VISA IKEA ASOS ASIC IBAN LEGO FORD DELL NIKE SAGE HERE WITH FROM "
    "OUT MAKE MADE SAY SEE OUTLOOK TRUE STOP START OPEN FREE"
)
_VOWELS = "AEIOUY"
_SYLLABLES = re.compile(r"(?:[B-DF-HJ-NP-TV-XZ]?[AEIOU][B-DF-HJ-NP-TV-XZ]?){2}")


def is_spelled(word: str) -> bool:
    """Whether a word in capitals is read letter by letter: ``CEO`` yes, ``NASA`` no."""
    if len(word) == 1:
        return word != "A"
    if word in _SAID_AS_WORDS or word == "I":
        return False
    if len(word) <= 3:
        return True
    if not any(letter in _VOWELS for letter in word):
        return True
    return len(word) == 4 and not _SYLLABLES.fullmatch(word)


SILENT = frozenset("™®©℠\u200b\u200c\u200d\ufe0e\u00ad\u2060")
"""Shown, never said."""
SYMBOLS = {
    "&": "and", "+": "plus", "=": "equals", "@": "at", "%": "percent", "*": "", "~": "about", "^": "caret", "|": "",
    "\\": "backslash", "/": "", "_": "", "<": "less than", ">": "greater than", "±": "plus or minus", "×": "times",
    "÷": "divided by", "°": "degrees", "§": "section", "¶": "", "†": "", "•": "", "·": "", "→": "to", "←": "from",
    "↑": "up", "↓": "down",
    "≈": "approximately", "≠": "not equal to", "≤": "at most", "≥": "at least", "−": "minus",
    "∞": "infinity", "$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₹": "rupees", "#": "hash", "'": "",
    "’": "", "‘": "", '"': "", "“": "", "”": "", "«": "", "»": "", "(": "", ")": "", "[": "", "]": "", "{": "", "}": "",
    ".": "", "!": "", "?": "", "…": "", "`": "", "´": "", "‑": "", "‐": "", "′": "", "″": "", "✓": "", "✔": "", "■": "",
    "●": "", "▪": "", "‣": "", "➤": "", "⁄": "", "½": "a half", "¼": "a quarter", "¾": "three quarters", "²": "squared",
    "³": "cubed", "№": "number", "¿": "", "¡": "", "‚": "", "„": "", "⟨": "", "⟩": "", "‰": "per mille", "¢": "cents",
}  # fmt: skip
VULGAR = frozenset("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞")
MARKS_OF_RULES = frozenset("$€£¥₹@.%½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞") | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""A word without a digit or one of these needs no rule."""
CHARACTER_NAMES = {
    ".": "dot", "-": "dash", "_": "underscore", "@": "at", "/": "slash", "\\": "backslash", "+": "plus", "#": "hash",
    "&": "and", "*": "star", ":": "colon", ",": "comma", "!": "exclamation mark", "?": "question mark", "%": "percent",
    "$": "dollar", "€": "euro", "£": "pound", "=": "equals", "(": "", ")": "", '"': "", "'": "apostrophe", "–": "dash",
}  # fmt: skip
ADDRESS_MARKS = {".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", "+": "plus", "#": "hash",
                 "?": "question mark", "=": "equals", "&": "and", "~": "tilde", ":": "colon",
                 "%": "percent"}  # fmt: skip
LATIN = {
    "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    "þ": "th", "Þ": "Th", "ð": "th", "Ð": "Th", "ı": "i", "ŋ": "ng", "ƒ": "f",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "Δ": "delta", "ε": "epsilon", "θ": "theta", "λ": "lambda",
    "μ": "mu", "π": "pi", "σ": "sigma", "Σ": "sigma", "φ": "phi", "ω": "omega", "Ω": "omega",
}  # fmt: skip
