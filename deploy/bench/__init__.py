"""``make bench``: every promised figure, measured freshly in one run."""
