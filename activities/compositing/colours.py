"""Brand colours as people see them: luminance and contrast by WCAG 2.1, so that text stays readable on any brand."""


def rgb(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(colour: str, other: str, share: float) -> str:
    """``colour`` with ``share`` (0..1) of ``other``."""
    blended = (round(a + (b - a) * share) for a, b in zip(rgb(colour), rgb(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in blended)


def luminance(colour: str) -> float:
    """Relative luminance, 0..1 (WCAG 2.1)."""
    linear = [
        part / 12.92 if (part := byte / 255) <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for byte in rgb(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, other: str) -> float:
    """Contrast ratio, 1..21 (WCAG 2.1). Text needs 4.5, large text 3."""
    dark, light = sorted((luminance(colour), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str, ground: str, least: float = 4.5) -> str:
    """``colour``, moved towards white or black (whichever stands out more on ``ground``) until it has that contrast."""
    goal = max("#ffffff", "#000000", key=lambda end: contrast(end, ground))
    for step in range(11):
        candidate = mix(colour, goal, step / 10)
        if contrast(candidate, ground) >= least:
            return candidate
    return goal
