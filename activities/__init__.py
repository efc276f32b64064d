"""What touches the world: one package per capability."""
