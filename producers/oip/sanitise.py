"""What leaves the house in a corpus: no absolute paths, no names of users, no secrets."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

MASK = "<masked>"
ANCHORS = ("src", "tests", "examples", "benches", "crates", "lib")  # where a project begins to speak of itself

HOMES = {"home": 2, "users": 2, "root": 1}  # folders to drop: how many, by the first one's name

_DRIVE = re.compile(r"^[A-Za-z]:(?=[\\/])")
_NAME = r"[\w.@+~-]+"
_ABSOLUTE = re.compile(rf"(?<![\w.)\]/\\:<])(?:[A-Za-z]:)?[\\/](?:{_NAME}[\\/])+{_NAME}|(?<![\w.])~[\\/][\w.@+~\\/-]+")
_SPACED_HOME = re.compile(r"(?i)([\\/](?:home|users)[\\/])[^\\/\n\"'`<>|:]{1,64}(?=[\\/])")  # a name may have spaces

# Forms that the services document for their tokens; then what stands where a secret stands.
_TOKENS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}|\bglpat-[\w-]{16,}"
    r"|\bxox[abeoprs]-[\w-]{10,}|\bsk-(?:[A-Za-z]+-)*[\w-]{20,}|\bAIza[\w-]{30,}|\bhf_[A-Za-z0-9]{30,}"
    r"|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{30,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:.*?-----END [A-Z ]*PRIVATE KEY-----|.*)",
    re.DOTALL,
)
_NAMED = re.compile(
    r"(?i)\b((?:[\w-]{0,40}(?:passw(?:or)?d|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?))"
    r"\"?\s*(?::\s*&?(?:'static\s+)?(?:str|String)\s*)?[:=]>?\s*(?:String::from\()?)"
    r"(\"[^\"\n]{4,}\"|'[^'\n]{4,}'|(?=[^\s\"'`]*\d)[^\s\"'`,;)]{8,})"
)
_BEARER = re.compile(r"(?i)\b(bearer\s+|basic\s+)[A-Za-z0-9._~+/=-]{12,}")
_USERINFO = re.compile(r"(://)[^\s/:@]+:[^\s/@]+@")
_RANDOM = re.compile(r"([\"'`])(?=[^\"'`]*[a-z])(?=[^\"'`]*[A-Z])(?=[^\"'`]*\d)[A-Za-z0-9+/=_-]{32,}\1")


def clean(text: str) -> str:
    r"""Return ``text`` with secrets masked and absolute paths cut to what a project says of itself.

    >>> clean('couldn\'t read `/home/ann/app/src/main.rs`: token = "abcd1234"')
    "couldn't read `src/main.rs`: token = <masked>"
    """
    text = _TOKENS.sub(MASK, text)
    text = _NAMED.sub(lambda found: found[1] + MASK, text)
    text = _BEARER.sub(lambda found: found[1] + MASK, text)
    text = _USERINFO.sub(rf"\1{MASK}@", text)
    text = _RANDOM.sub(rf"\1{MASK}\1", text)
    text = _SPACED_HOME.sub(r"\1user", text)
    return _ABSOLUTE.sub(lambda found: relative(found[0]), text)


def relative(name: str, root: Path | None = None) -> str:
    r"""Return a file's name without what tells of the machine: relative to ``root`` where it lies there.

    Other absolute names keep what follows the last folder of ``ANCHORS``, with it, or the file's name alone.

    >>> relative("/home/ann/app/src/bin/x.rs"), relative("../../x/y.rs"), relative("C:\\Users\\ann\\y.rs")
    ('src/bin/x.rs', 'x/y.rs', 'y.rs')
    """
    plain = _DRIVE.sub("", name).replace("\\", "/")
    if root is not None and plain.startswith(f"{root.as_posix().rstrip('/')}/"):
        plain = plain[len(root.as_posix().rstrip("/")) + 1 :]
    parts = [part for part in PurePosixPath(plain).parts if part not in ("/", "//", "..", ".")]
    if plain.startswith(("/", "~")):
        parts = parts[HOMES.get(parts[0].lower(), 0) if parts else 0 :]
        starts = [place for place, part in enumerate(parts) if part in ANCHORS]
        parts = parts[starts[-1] :] if starts else parts[-1:]
    return "/".join(parts) or "unknown"
