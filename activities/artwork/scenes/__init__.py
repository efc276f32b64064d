"""Generative scenes, one per motif, drawn as light and coloured afterwards; covers are their stills."""

from activities.artwork.scenes.base import Field, Light, Moment, Scene, Stage
from activities.artwork.scenes.crystals import Crystals
from activities.artwork.scenes.particles import Particles
from activities.artwork.scenes.ribbons import Ribbons
from activities.artwork.scenes.rings import Rings
from activities.artwork.scenes.terrain import Terrain
from activities.artwork.scenes.waves import Waves
from models.identity import Motif

SCENES: dict[Motif, type[Scene]] = {
    Motif.WAVES: Waves,
    Motif.RINGS: Rings,
    Motif.PARTICLES: Particles,
    Motif.RIBBONS: Ribbons,
    Motif.TERRAIN: Terrain,
    Motif.CRYSTALS: Crystals,
}


def scene(motif: Motif, stage: Stage) -> Scene:
    """A scene of ``motif`` on ``stage``."""
    return SCENES[motif](stage)


__all__ = ["SCENES", "Field", "Light", "Moment", "Scene", "Stage", "scene"]
