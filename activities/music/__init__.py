"""Music from a plan."""
