"""Model: which categories it knows, how right its confidence is, what it learned, who challenges it."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.panels import PARTITION, Panel, bars, dashboard, lines, number, rows

RATIO = "percentunit"
WINDOW = "1h"


def _hour(name: str) -> str:
    """Return the increase of a total within the hour, by category; without any, all that was ever counted."""
    total = f"jidoka_category_{name}_total{{{PARTITION}}}"
    return f"sum by (category) (increase({total}[{WINDOW}]))"


def build() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("model", "model", "Categories, calibration, weights, challengers", ("partition",))
    return rows(
        made, categories=_categories(), calibration=_calibration(), learning=_learning(), challenger=_challenger()
    )


def _categories() -> list[Panel]:
    return [
        bars(
            "Precision",
            "Of what the model took for a category within the hour, how much was of it. Model alone, code hidden.",
            (f"{_hour('correct')} / ({_hour('predicted')} > 0)", "{{category}}"),
            unit=RATIO,
            top=1,
        ),
        bars(
            "Recall",
            "Of what was of a category within the hour, how much the model found. Model alone, code hidden.",
            (f"{_hour('correct')} / ({_hour('labelled')} > 0)", "{{category}}"),
            unit=RATIO,
            top=1,
        ),
        bars(
            "Labelled",
            "Diagnostics by their label within the hour: how much stands behind the two beside.",
            (f"{_hour('labelled')} > 0", "{{category}}"),
        ),
        lines(
            "Accuracy and macro F1",
            "Since the model began; macro F1 gives every category the same weight.",
            (f"max by (partition) (jidoka_prequential_accuracy_ratio{{{PARTITION}}})", "accuracy {{partition}}"),
            (f"max by (partition) (jidoka_prequential_macro_f1_ratio{{{PARTITION}}})", "macro F1 {{partition}}"),
            unit=RATIO,
            top=1,
            wide=24,
        ),
    ]


def _calibration() -> list[Panel]:
    scored = "sum by (bin) (increase(jidoka_scored_total[1h])) > 0"
    return [
        bars(
            "Confidence and what came of it",
            "Predictions of the hour by confidence: promised (mean confidence) and kept (share of right ones).",
            (f"sum by (bin) (increase(jidoka_scored_confidence_total[1h])) / ({scored})", "{{bin}} promised"),
            (f"sum by (bin) (increase(jidoka_scored_right_total[1h])) / ({scored})", "{{bin}} kept"),
            unit=RATIO,
            top=1,
            wide=12,
            alert="JidokaMiscalibrated",
        ),
        lines(
            "Calibration error",
            "Mean distance between promised and kept over ten bins of the last hour (expected calibration error).",
            ("jidoka:calibration_error:ratio1h", "last hour"),
            unit=RATIO,
            wide=6,
            alert="JidokaMiscalibrated",
        ),
        lines(
            "Temperature and threshold",
            "Logits are divided by the temperature: above 1 the model was too sure. Below the threshold: Unknown.",
            (f"max by (partition) (jidoka_model_temperature{{{PARTITION}}})", "temperature {{partition}}"),
            (f"max(jidoka_model_threshold_ratio{{{PARTITION}}})", "threshold"),
            wide=6,
        ),
    ]


def _learning() -> list[Panel]:
    return [
        lines(
            "Examples learned",
            "Of each partition's model, the published model it began with included.",
            (f"max by (partition) (jidoka_model_examples{{{PARTITION}}})", "partition {{partition}}"),
        ),
        bars(
            "Weight of a category's next example",
            "Rare categories weigh more; the mean over partitions.",
            (f"avg by (category) (jidoka_category_weight_ratio{{{PARTITION}}})", "{{category}}"),
        ),
        bars(
            "Labelling functions worth least",
            "How often a vote of theirs is believed right, mean over categories; the model learns what they say.",
            (f"bottomk(15, avg by (function) (jidoka_label_function_accuracy_ratio{{{PARTITION}}}))", "{{function}}"),
            unit=RATIO,
            top=1,
        ),
        number(
            "Began with",
            "Partitions by what their model started from.",
            (f"count by (origin) (jidoka_model_origin_info{{{PARTITION}}})", "{{origin}}"),
            wide=24,
        ),
    ]


def _challenger() -> list[Panel]:
    return [
        number(
            "Builds scored",
            "Of the running challenge; nothing where no challenger runs.",
            (f"sum by (partition) (jidoka_challenge_builds{{{PARTITION}}})", "partition {{partition}}"),
            wide=8,
        ),
        lines(
            "Votes",
            "Builds on which one of the two was right and the other was not.",
            (f"sum by (partition) (jidoka_challenge_wins{{{PARTITION}}})", "challenger {{partition}}"),
            (f"sum by (partition) (jidoka_challenge_losses{{{PARTITION}}})", "champion {{partition}}"),
        ),
        lines(
            "Evidence",
            "E-value for the challenger: at 20 it takes the champion's place.",
            (f"max by (partition) (jidoka_challenge_evidence{{{PARTITION}}})", "partition {{partition}}"),
        ),
    ]
