"""Rules for texts; the columns are those of ``numbers``."""

from __future__ import annotations

from typing import Final

TEXTS: Final = """
s 0 core        5 -     ($s + $s)
s 0 core        9 -     $.s
s 0 conversions 3 x1    str($i)
s 0 strings     2 -     $s.upper()
s 0 strings     2 -     $s.lower()
s 0 strings     1 -     $s.strip()
s 0 strings     1 x4    $s.replace($_q, $_z)
s 0 slices      2 -     $!s[$_n:]
s 0 slices      2 -     $!s[:$_n]
s 0 slices      1 -     $!s[::-1]
s 0 strings     1 x8    ($.s * $_n)
s 0 formatting  2 -     f"{$!i}"
s 0 formatting  3 -     f"{$!s}-{$!i}"
s 0 formatting  1 -     f"{$!i} and {$!i}"
s 1 strings     1 -     $s.title()
s 1 strings     1 -     $s.capitalize()
s 1 strings     1 -     $s.swapcase()
s 1 strings     1 -     $s.zfill($_n)
s 1 strings     1 -     $s.rjust($_n)
s 1 strings     1 -     $s.ljust($_n, "*")
s 1 strings     1 -     $s.center($_n, ".")
s 1 strings     1 -     $s.lstrip("a ")
s 1 strings     1 -     chr(97 + $i % 26)
s 1 strings     2 x2    $_q.join($S)
s 1 strings     1 x9    ($.s * ($.i % $_k))
s 1 slices      2 -     $!s[$_n:-$_n]
s 1 slices      2 -     $!s[-$_n:]
s 1 slices      1 -     $!s[::$_k]
s 1 slices      1 -     $!s[$.i:$.i]
s 1 indexing    2 -     ($!s1[0] if len($1) > 0 else $_z)
s 1 indexing    2 -     ($!s1[$.i % len($1)] if len($1) > 0 else $_z)
s 1 indexing    2 -     ($!S1[0] if len($1) > 0 else $_z)
s 1 indexing    1 -     ($!S1[-1] if len($1) > 0 else $_z)
s 1 ternary     2 -     ($s if $b else $s)
s 1 conversions 1 -     hex($.i)
s 1 conversions 1 -     str($f)
s 1 conversions 1 -     str($b)
s 1 formatting  2 -     f"{$!f:.2f}"
s 1 formatting  1 -     f"{$!i:05d}"
s 1 formatting  1 -     f"{$!s:>8}"
s 1 formatting  1 -     f"{$!i % $_k}"
s 1 tuples      2 -     $!P[0]
s 1 generators  1 x2    "".join($1 for $*s1 in $@s if $1.isalpha())
s 2 conversions 1 -     bin($.i)
s 2 conversions 1 x2    repr($s)
s 2 conversions 1 x9    str($I)
s 2 conversions 1 x3    str($T)
s 2 conversions 1 x9    str($!D)
s 2 formatting  1 -     "{}:{}".format($.i, $.s)
s 2 formatting  1 -     ("%d/%s" % ($.i, $.s))
s 2 formatting  1 -     f"{$!i:x}"
s 2 formatting  1 -     f"{$!i:+,}"
s 2 formatting  1 -     f"{$!f:e}"
s 2 formatting  1 x2    f"{$!s!r}"
s 2 formatting  1 -     f"{$!b}"
s 2 formatting  1 -     f"{len($!I)}{$!i:>6}"
s 2 sorting     1 -     "".join(sorted($s))
s 2 sorting     1 -     "".join(reversed($s))
s 2 strings     1 -     $s.split($_q)[0]
s 2 strings     1 -     $s.partition($_q)[2]
s 2 strings     1 -     $s.removeprefix($_q)
s 2 strings     1 -     $s.casefold()
s 2 comprehensions 1 x2 "".join([chr(ord($1) + 1) for $*s1 in $@s.encode("ascii", "ignore").decode("ascii")])
s 2 logic       1 -     ($.s or $.s)
s 2 builtins    1 -     max($s, $s)
s 2 optionals   3 -     ($!Q1 if $1 is not None else $_z)
s 2 optionals   2 -     ($!Q or $_z)
s 2 nested      2 -     ($!N1[0][0] if $1 else $_z)
s 2 dicts       1 -     next(iter($!D), $_z)
s 3 nested      2 x2    $_q.join($1 for $*s1, $*i2 in $!N)
s 3 lambdas     1 -     (lambda $*s1: $s)($@s)
s 3 strings     1 -     $!s.translate(str.maketrans("abc", "xyz"))
s 3 formatting  1 -     f"{$!i:0{$_n}d}"
s 3 sorting     1 -     max($!S, key=len, default=$_z)
"""
