"""The batch job on a schedule, and when a concept drifts: one at a time in the whole cluster."""
