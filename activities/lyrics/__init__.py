"""Words for songs."""
