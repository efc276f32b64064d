"""A moving person from mouth curves and speech."""
