"""Which functions of the standard library are called: pure, quick whatever they get, the same in every run.

Everything else about them (parameters, types, defaults) is read from the stubs. What a value has to be squeezed into
before a function gets it stands here: ``math.factorial`` of a large number ends, but not today.
"""

from __future__ import annotations

from typing import Final

_TRIGONOMETRY: Final = "acos acosh asin asinh atan atan2 atanh cos cosh sin sinh tan tanh degrees radians hypot dist"
_ROUNDING: Final = "ceil floor trunc fabs fmod frexp modf copysign remainder nextafter ulp isclose isinf isnan isfinite"
_POWERS: Final = "exp expm1 log log10 log1p log2 sqrt pow ldexp erf erfc gamma lgamma fsum"
_WHOLE: Final = "comb factorial gcd lcm isqrt perm"

CHOSEN: Final = {
    "math": f"{_TRIGONOMETRY} {_ROUNDING} {_POWERS} {_WHOLE}",
    "statistics": "fmean mean median median_low median_high median_grouped mode multimode pstdev pvariance stdev "
    "variance geometric_mean harmonic_mean correlation covariance",
    "textwrap": "wrap fill shorten dedent indent",
    "string": "capwords",
    "bisect": "bisect_left bisect_right",
    "heapq": "nlargest nsmallest",
    "colorsys": "rgb_to_yiq yiq_to_rgb rgb_to_hls hls_to_rgb rgb_to_hsv hsv_to_rgb",
    "calendar": "isleap leapdays weekday monthrange",
    "html": "escape unescape",
    "urllib.parse": "quote unquote quote_plus unquote_plus",
    "posixpath": "basename dirname normpath join split splitext commonpath normcase",
    "keyword": "iskeyword issoftkeyword",
    "fnmatch": "fnmatchcase",
    "difflib": "get_close_matches",
    "unicodedata": "bidirectional category combining decomposition east_asian_width mirrored",
    "shlex": "split join quote",
    "re": "escape",
    "zlib": "crc32 adler32",
    "builtins": "abs bin chr hex oct ord divmod max min sum sorted any all ascii repr round len",
}

LIMITS: Final = {
    "math.factorial": (20,),
    "math.comb": (30, 30),
    "math.perm": (12,),
    "calendar.monthrange": (3_000, 0),
    "calendar.weekday": (3_000, 0, 0),
    "calendar.leapdays": (3_000, 3_000),
}
"""What an argument is reduced by, as ``abs(x) % limit``, before the function gets it; 0: it is left as it is."""

FORCED: Final = {
    "math.ceil": (("x", "f"),),
    "math.floor": (("x", "f"),),
    "math.trunc": (("x", "f"),),
    "builtins.len": (("obj", "s"),),
    "builtins.round": (("number", "f"),),
    "builtins.ascii": (("obj", "s"),),
    "builtins.repr": (("obj", "s"),),
    "builtins.any": (("iterable", "I"),),
    "builtins.all": (("iterable", "I"),),
    "builtins.max": (("iterable", "I"),),
    "builtins.min": (("iterable", "I"),),
    "builtins.sum": (("iterable", "I"),),
    "builtins.divmod": (("x", "i"), ("y", "i")),
}
"""Parameters of what the stubs describe by protocols or overloads from which no one type follows."""

RETURNED: Final = {"builtins.divmod": "T", "builtins.round": "i", "builtins.sum": "i"}
"""Results of the same, where they do not follow either."""
