"""Rules for lists, dictionaries, sets, tuples and optional values; the columns are those of ``numbers``.

What iterates over a set sorts it first: the order of a set of texts differs from one run of Python to the next.
"""

from __future__ import annotations

from typing import Final

LISTS: Final = """
I 0 core        8 -     $.I
I 0 core        3 -     [$i, $i]
I 0 core        2 -     ($!I + [$i])
I 0 sorting     2 -     sorted($!I)
I 0 comprehensions 4 -  [$i for $*i1 in $@I]
I 0 comprehensions 3 -  [$1 for $*i1 in $@I if $b]
I 0 slices      2 -     $!I[$_n:]
I 0 slices      2 -     $!I[:$_n]
I 0 slices      1 -     $!I[::-1]
I 1 builtins    1 small list(range($_n))
I 1 builtins    1 small list(range($.i % $_k))
I 1 builtins    1 small list(range($_n, 0, -$_n))
I 1 builtins    1 -     list(reversed($!I))
I 1 sorting     1 -     sorted($I, reverse=True)
I 1 sets        2 -     sorted($U)
I 1 slices      1 -     $!I[-$_n:]
I 1 slices      1 -     $!I[$_n:-$_n]
I 1 slices      1 -     $!I[::-$_k]
I 1 slices      1 -     $!I[$.i:$.i]
I 1 comprehensions 2 -  [$i for $*i1 in range($_n)]
I 1 comprehensions 1 -  [len($1) for $*s1 in $@S]
I 1 conversions 1 -     [int($1) for $*s1 in $@s if $1.isdecimal()]
I 1 dicts       1 -     list($!D.values())
I 1 dicts       1 -     list($!M.keys())
I 1 tuples      1 -     [$!T1[0], $1[1]]
I 1 tuples      1 -     list($T)
I 1 core        1 x8    ([$i] * $_n)
I 1 ternary     1 -     ($I if $b else $I)
I 2 core        1 -     ($I + $I)
I 2 core        1 x9    ($!I * ($.i % $_k))
I 2 conversions 1 -     [ord($1) for $*s1 in $@s]
I 2 comprehensions 2 -  [$1 + $2 for $*i1, $*i2 in enumerate($!I)]
I 2 comprehensions 2 -  [$1 - $2 for $*i1, $*i2 in zip($!I, $!I)]
I 2 comprehensions 1 -  [$i if $b else $i for $*i1 in $@I]
I 2 nested      2 -     [$1 for $*I2 in $@L for $*i1 in $2]
I 2 nested      2 -     ($!L1[0] if $1 else [])
I 2 nested      1 -     $!G.get($.s, [])
I 2 lambdas     2 -     sorted($@I, key=lambda $*i1: -$1)
I 2 lambdas     1 -     list(filter(lambda $*i1: $b, $!I))
I 2 lambdas     1 -     list(map(lambda $*i1: $i, $!I))
I 2 sorting     1 -     sorted($I, key=abs)
I 3 unpacking   2 -     [*$I, *$I]
I 3 unpacking   1 -     [$.i, *$!I]
I 3 nested      1 -     [$2 for $*s1, $*i2 in sorted($!N)]
S 0 core        6 -     $.S
S 0 core        3 -     [$s, $s]
S 0 strings     3 -     $s.split($_q)
S 0 strings     2 -     $s.split()
S 0 comprehensions 2 -  [$1.upper() for $*s1 in $@S]
S 0 comprehensions 2 -  [str($1) for $*i1 in $@I]
S 1 sorting     2 -     sorted($S)
S 1 comprehensions 2 -  [$s for $*s1 in $@S]
S 1 comprehensions 2 -  [$1 for $*s1 in $@S if $b]
S 1 comprehensions 1 -  [$s for $*i1 in $@I]
S 1 slices      1 -     $!S[::-1]
S 1 slices      1 -     $!S[$_n:]
S 1 core        1 -     ($S + [$s])
S 1 dicts       1 -     sorted($!D.keys())
S 1 dicts       1 -     list($!D)
S 1 strings     1 -     $s.splitlines()
S 2 strings     1 -     list($s)
S 2 strings     1 -     $s.rsplit($_q, 1)
S 2 sorting     1 -     sorted($S, key=len)
S 2 lambdas     1 -     sorted($@S, key=lambda $*s1: (len($1), $1), reverse=True)
S 2 nested      1 -     [$1 for $*s1, $*i2 in $!N if $2 > $_c]
S 2 lambdas     1 -     list(map(str, $I))
S 3 unpacking   1 -     [*$S, $s]
F 1 core        5 -     $.F
F 1 core        3 -     [$f, $f]
F 1 comprehensions 3 -  [$f for $*f1 in $@F]
F 1 comprehensions 2 -  [float($1) for $*i1 in $!I]
F 1 division    1 -     [$1 / $_k for $*i1 in $!I]
F 1 slices      1 -     $!F[$_n:]
F 1 core        1 -     ($!F + [$f])
F 2 comprehensions 1 -  [round($1, 1) for $*f1 in $@F]
F 2 comprehensions 1 -  [$1 for $*f1 in $@F if $b]
L 2 core        4 -     $.L
L 2 core        2 -     [$I, $I]
L 2 comprehensions 2 -  [[$i for $*i1 in range($_n)] for $*i2 in range($_n)]
L 2 comprehensions 2 -  [$I for $*I1 in $@L]
L 2 comprehensions 1 -  [[$1] for $*i1 in $@I]
L 2 core        1 -     ($!L + [$I])
L 2 sorting     1 -     sorted($L)
L 3 unpacking   1 -     [list($1) for $*T1 in zip($!I, $!I)]
N 2 core        4 -     $.N
N 2 core        2 -     [$P, $P]
N 2 dicts       2 -     list($!D.items())
N 2 sorting     2 -     sorted($!D.items())
N 2 lambdas     2 -     sorted($@N, key=lambda $*P1: $1[1])
N 2 comprehensions 1 -  [($1, len($1)) for $*s1 in $@S]
"""

MAPPINGS: Final = """
D 1 core        6 -     $.D
D 1 dicts       2 -     {$_q: $i}
D 1 dicts       2 -     {"a": $i, "b": $i}
D 1 dicts       2 -     {$1: $i for $*s1, $*i2 in $!D.items()}
D 1 dicts       1 -     $!D.copy()
D 2 dicts       2 -     {$1: len($1) for $*s1 in $@S}
D 2 dicts       1 -     {$s: $i}
D 2 dicts       2 -     {$1: $2 for $*s1, $*i2 in $!D.items() if $b}
D 2 dicts       1 -     dict($!D)
D 2 dicts       1 -     {**$D, $_q: $i}
D 2 dicts       1 -     {$1: $!s2.count($1) for $*s1 in $2}
D 2 nested      1 -     dict($N)
D 3 dicts       1 -     ($D | $D)
D 3 dicts       1 -     dict(zip($S, $I))
M 1 core        5 -     $.M
M 1 dicts       2 -     {$1: $i for $*i1 in $@I}
M 1 dicts       2 -     {$_n: $i}
M 2 dicts       1 -     {$2: $1 for $*i1, $*i2 in $!M.items()}
M 3 dicts       1 -     dict(enumerate($I))
G 2 core        4 -     $.G
G 2 nested      2 -     {$_q: $I}
G 2 nested      2 -     {$1: [$2] for $*s1, $*i2 in $!D.items()}
G 3 nested      1 -     {$1: sorted($2) for $*s1, $*I2 in $!G.items()}
U 1 core        4 -     $.U
U 1 sets        3 -     set($I)
U 1 sets        2 -     {$i % $_k for $*i1 in $@I}
U 1 sets        2 -     ($U & $U)
U 2 sets        1 -     {$i, $i}
U 2 sets        2 -     ($U | $U)
U 2 sets        1 -     ($U - $U)
U 2 sets        1 -     ($U ^ $U)
U 2 sets        1 -     $!U.union({$i})
U 3 sets        1 -     set(map(abs, $I))
"""

OTHERS: Final = """
T 1 core        3 -     $.T
T 1 tuples      4 -     ($i, $i)
T 1 tuples      2 -     ($!T1[1], $1[0])
T 1 builtins    2 -     divmod($i, $_k)
T 1 tuples      1 -     (min($!i1, $!i2), max($1, $2))
P 1 core        3 -     $.P
P 1 tuples      4 -     ($s, $i)
P 2 tuples      2 -     ($!s1, len($1))
P 2 tuples      1 -     ($!P1[0], $1[1] + $i)
P 2 nested      1 -     ($!N1[0] if $1 else ($_z, 0))
O 2 core        2 -     $.O
O 2 optionals   3 -     ($i if $b else None)
O 2 optionals   2 -     $!D.get($.s)
O 2 optionals   2 -     ($!I1[0] if $1 else None)
O 2 optionals   1 -     next(($1 for $*i1 in $@I if $b), None)
Q 2 core        2 -     $.Q
Q 2 optionals   3 -     ($s if $b else None)
Q 2 optionals   2 -     ($!S1[0] if $1 else None)
"""
