"""Drift and andon: what is lit, how far the rest is from it, and what moved."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.panels import LAMPS, PARTITION, Panel, bars, dashboard, lines, rows, states


def _worst(name: str, *labels: str) -> str:
    by = ", ".join(("partition", *labels))
    return f"max by ({by}) ({name}{{{PARTITION}}})"


def build() -> Dashboard:
    """Return the dashboard."""
    says = "The lamp, what lit it, the detectors with their thresholds, and the categories that moved"
    made = dashboard("drift", "drift and andon", says, ("partition",))
    return rows(made, andon=_andon(), detectors=_detectors(), kinds_of_messages=_kinds())


def _andon() -> list[Panel]:
    return [
        states(
            "Lamp",
            "Green, amber while a warning is lit, red while a halt is: then nothing is learned, answers go on.",
            (_worst("jidoka_andon_lamp"), "partition {{partition}}"),
            names=LAMPS,
            alert="JidokaAndonRed",
        ),
        states(
            "Conditions",
            "How many are lit, by kind and what was watched.",
            (_worst("jidoka_andon_active", "kind", "signal"), "{{partition}} {{kind}} {{signal}}"),
            wide=12,
            high=8,
        ),
        bars(
            "What moved when it was raised",
            "Categories that the lit conditions name, with their part of the divergence (nats) at that time.",
            (_worst("jidoka_andon_contribution_nats", "kind", "category"), "{{partition}} {{category}}"),
            wide=12,
            alert="JidokaConceptDrift",
        ),
    ]


def _detectors() -> list[Panel]:
    return [
        lines(
            "How near to alarm",
            "Each detector's statistic as a share of its threshold (from a budget of false alarms); at 1 it alarms.",
            (
                f"{_worst('jidoka_drift_statistic', 'quantity')} / {_worst('jidoka_drift_threshold', 'quantity')}",
                "{{partition}} {{quantity}}",
            ),
            wide=12,
            alert="JidokaConceptDrift",
        ),
        lines(
            "Divergence",
            "Kullback-Leibler divergence of now from the baseline, in nats: what people read; the statistic decides.",
            (_worst("jidoka_drift_divergence_nats", "quantity"), "{{partition}} {{quantity}}"),
            wide=12,
        ),
        bars(
            "What moves now",
            "Each category's part of the divergence, in nats: above 0 there is more of it than there was, below less.",
            (_worst("jidoka_drift_contribution_nats", "category"), "{{partition}} {{category}}"),
            wide=24,
        ),
    ]


def _kinds() -> list[Panel]:
    return [
        lines(
            "Builds with a kind of message never met",
            "Share of the last 500 builds of each partition.",
            ("partition:jidoka_new_template_share_ratio:max", "partition {{partition}}"),
            unit="percentunit",
            top=1,
            wide=12,
            alert="JidokaNewKinds",
        ),
        lines(
            "Kinds of messages",
            "Known now, and met for the first time per minute.",
            (_worst("jidoka_templates"), "known, partition {{partition}}"),
            (f"sum(rate(jidoka_templates_created_total{{{PARTITION}}}[5m])) * 60", "new per minute"),
            wide=12,
        ),
    ]
