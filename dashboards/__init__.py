"""Grafana dashboards, built by code (``python -m dashboards.build``), alert rules and the runbook."""
