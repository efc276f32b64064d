"""The whole studio as it runs: real processes under their supervisor, real engines, and people at its edges."""
