"""What every stage shares: artifacts, stage cache, heartbeat, error translation."""
