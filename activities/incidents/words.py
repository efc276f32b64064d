"""An incident in words, for a chat."""

from models.incidents import OpenIncident


def notice(incident: OpenIncident) -> str:
    """What is wrong, since when, what to do, and the commands that help."""
    lines = [f"{incident.name} makes no songs since {incident.since:%Y-%m-%d %H:%M} UTC."]
    lines.append(f"{incident.message} ({incident.code})")
    if incident.faults > 1:
        lines.append(f"{incident.faults} faults in a row.")
    if incident.try_again_at:
        lines.append(f"Left alone, it goes on {incident.try_again_at:%Y-%m-%d %H:%M} UTC.")
    lines.append(f"What to do: {incident.action}")
    return "\n".join((*lines, *incident.commands))


def over(incident: OpenIncident) -> str:
    """What is said when it is over."""
    lines = [f"Over: {incident.name} goes on.", f"It stood still since {incident.since:%Y-%m-%d %H:%M} UTC:"]
    return "\n".join((*lines, f"{incident.message} ({incident.code})"))
