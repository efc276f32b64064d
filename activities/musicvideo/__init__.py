"""Music videos: moving pictures cut and moved by the sound itself."""
