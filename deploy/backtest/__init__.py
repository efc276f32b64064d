"""A recorded history of another system, lived through by this lifecycle."""
