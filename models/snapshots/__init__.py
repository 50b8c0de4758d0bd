"""A partition's state as bytes and back: what is checkpointed, checked before it is believed."""
