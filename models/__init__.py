"""Pure learning: no Kafka, no clock, no logger; time and randomness come in as arguments."""
