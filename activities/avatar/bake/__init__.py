"""The workshop that turns a look's description into the pictures and fields the presenter is drawn from. It is apart
from the engine because it needs a body model and a path tracer, which no worker has to carry."""
