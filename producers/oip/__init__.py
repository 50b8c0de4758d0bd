"""Corpora for the organizational-intelligence-plugin (OIP): exported in two profiles, and both read back.

``specified`` is the schema of jidoka's specification. ``oip-1`` is what the importer of OIP 0.3 really accepts; the
difference was read from its code and run (paiml/organizational-intelligence-plugin, ``src/citl.rs``).
"""

from producers.oip.export import Exported, export
from producers.oip.files import FORMATS, read_rows, write_rows
from producers.oip.row import OipError, Row, Target

__all__ = ["FORMATS", "Exported", "OipError", "Row", "Target", "export", "read_rows", "write_rows"]
