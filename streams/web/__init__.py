"""HTTP: what a worker says of itself, and the interface for producers and readers."""
