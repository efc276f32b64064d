"""Settings, the local studio, migrations and manifests."""
