"""Has the stream or the model changed? Sequential detectors with a budget of false alarms; what watches a partition.

``monitor.DriftMonitor`` is what the line uses; ``alarm.Alarm`` is what it raises.
"""

from __future__ import annotations

from models.drift.alarm import Alarm
from models.drift.divergence import CategoryDivergence
from models.drift.monitor import DriftMonitor, Seen

__all__ = ["Alarm", "CategoryDivergence", "DriftMonitor", "Seen"]
