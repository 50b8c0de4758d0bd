"""Statements as templates: updates of what there is, whole statements, and the heads of loops.

The first columns are the type of what is changed or made, the lowest level, the feature, and how likely the statement
is beside the others. Holes are those of ``template``; ``$1`` in an update is the variable itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from producers.generate.template import filler, parse

if TYPE_CHECKING:
    from producers.generate.draft import Draft

Fill = Callable[["Draft", int, dict[str, str]], "str | None"]


class Form(NamedTuple):
    """A statement's template: the type of its result or of what it changes, level, feature, and how to fill it."""

    code: str
    level: int
    feature: str
    likely: int
    fill: Fill


def _form(head: str, text: str) -> Form:
    code, level, feature, likely = head.split()
    return Form(code, int(level), feature, int(likely), filler(*parse(text)))


def _lines(table: str) -> tuple[Form, ...]:
    """Return the templates of a table with one in each line, the columns in front of it."""
    split = (line.split(None, 4) for line in table.strip().splitlines())
    return tuple(_form(" ".join(columns), text) for *columns, text in split)


def _paragraphs(table: str) -> tuple[Form, ...]:
    """Return the templates of a table with one in each paragraph, the columns in its first line."""
    return tuple(_form(*paragraph.split("\n", 1)) for paragraph in table.strip().split("\n\n"))


UPDATES: Final = _lines("""
i 0 core      6 $1 = $1 + $i
i 0 core      3 $1 = $1 - $i
i 0 augmented 5 $1 += $i
i 0 core      2 $1 = ($1 * $_k + $i) % $_m
i 0 builtins  2 $1 = max($1, $i)
i 0 core      2 $1 = $i
i 1 augmented 1 $1 -= $i
i 1 bits      1 $1 ^= $i
i 1 augmented 1 $1 //= $_k
f 0 core      4 $1 = $1 + $f
f 0 augmented 3 $1 += $f
f 0 builtins  1 $1 = min($1, $f)
f 1 augmented 1 $1 *= $_p
s 0 core      4 $1 = $1 + $.s
s 0 augmented 3 $1 += $.s
s 1 core      1 $1 = $.s + $1
s 0 core      1 $1 = $s
b 0 core      2 $1 = $b
b 0 core      2 $1 = $1 or $b
b 0 core      1 $1 = $1 and $b
I 0 core      6 $1.append($i)
I 1 core      1 $1 = $1 + [$i]
I 2 mutation  2 $1.insert(0, $i)
I 2 mutation  1 $1.extend([$i, $i])
S 0 core      4 $1.append($s)
S 2 mutation  1 $1.insert($_n, $.s)
F 1 core      3 $1.append($f)
D 1 dicts     3 $1[$.s] = $1.get($.s, 0) + $i
D 1 dicts     2 $1[$.s] = $i
M 1 dicts     3 $1[$.i] = $1.get($.i, 0) + 1
U 1 sets      3 $1.add($i)
L 2 nested    2 $1.append($I)
N 2 nested    2 $1.append($P)
G 2 nested    2 $1.setdefault($.s, []).append($i)
""")

HEADERS: Final = _lines("""
i 0 loops     5 for $+i1 in range($_n):
i 0 loops     5 for $+i1 in range($.i % $_k):
i 0 loops     4 for $+i1 in range(len($!I)):
i 0 loops     7 for $+i1 in $!I:
s 0 loops     3 for $+s1 in $!S:
s 0 loops     3 for $+s1 in $!s:
i 0 loops     2 for $+i1 in range($_n, 10):
i 1 loops     2 for $+i1 in range(10, $_n, -$_n):
i 1 loops     3 for $+i1, $+i2 in enumerate($!I):
i 1 loops     2 for $+i1, $+s2 in enumerate($!S):
s 1 dicts     4 for $+s1, $+i2 in $!D.items():
s 1 dicts     1 for $+s1 in sorted($!D):
i 1 sets      3 for $+i1 in sorted($!U):
i 1 slices    2 for $+i1 in $!I[::-1]:
f 1 loops     2 for $+f1 in $!F:
i 1 loops     2 for $+i1, $+i2 in zip($!I, $!I):
I 2 nested    4 for $+I1 in $!L:
s 2 nested    3 for $+s1, $+i2 in $!N:
s 2 nested    2 for $+s1, $+I2 in $!G.items():
s 2 loops     1 for $+s1 in reversed($!s.split()):
i 3 unpacking 1 for $+i1, ($+s2, $+i3) in enumerate($!N):
""")

WHOLE: Final = _paragraphs("""
i 0 while 3
$+i1: int = abs($.i)
$+i2: int = 0
while $1 > 0:
    $2 = $2 + $1 % $_k
    $1 = $1 // 10

i 0 while 2
$+i1: int = abs($.i)
$+i2: int = abs($.i)
while $2 != 0:
    $-i3: int = $1 % $2
    $1 = $2
    $2 = $3

i 0 while 2
$+i1: int = 0
while $1 * $1 < $.i % 100:
    $1 = $1 + 1

i 1 unpacking 2
$+i1, $+i2 = $.i, $.i
$1, $2 = $2, $1 + $2

i 1 unpacking 2
$+i1, $+i2 = divmod($.i, $_k)

i 1 unpacking 2
$+s1, $+i2 = $P

I 1 mutation 2
$+I1: list[int] = sorted($I)
$1.append($i)
$1.reverse()

I 1 mutation 2
$+I1: list[int] = list($.I)
$+i2: int = 0
while len($1) > 0:
    $2 = $2 + $1.pop()

I 2 mutation 2
$+I1: list[int] = $!I[:]
$1.sort(reverse=True)
if len($1) > 1:
    $1[0], $1[-1] = $1[-1], $1[0]

I 2 mutation 2
$+I1: list[int] = $!I
$+I2: list[int] = $1.copy()
$2.append($i)

I 2 mutation 1
$+I1: list[int] = list($I)
$1[1:2] = [$i, $i]
del $1[$_n:]

D 2 dicts 2
$+D1: dict[str, int] = dict($D)
$+i2: int = $1.pop($.s, $_c)

L 2 nested 2
$+L1: list[list[int]] = [[0] * $_n for _ in range($_n)]
$1[0][0] = $i

L 3 nested 1
$+L1: list[list[int]] = [[0] * $_n] * $_n
$1[0][0] = $i

i 2 exceptions 3
try:
    $+i1 = int($s)
except ValueError:
    $1 = $_c

i 2 exceptions 3
try:
    $+i1 = $!I[$.i]
except IndexError:
    $1 = $_c

i 2 exceptions 2
try:
    $+i1 = $!D[$s]
except KeyError:
    $1 = $_c

i 2 exceptions 3
try:
    $+i1 = $i // $i
except ZeroDivisionError:
    $1 = $_c

i 2 exceptions 2
try:
    $+i1 = $!I.index($i)
except ValueError as error:
    $1 = len(str(error))

f 2 exceptions 1
try:
    $+f1 = $.i / $.i
except (ZeroDivisionError, OverflowError):
    $1 = 0.0

i 2 exceptions 2
$+i1 = 0
try:
    if $b:
        raise ValueError($_q)
    $1 = $i
except ValueError:
    $1 = -1
finally:
    $1 = $1 + 1

i 2 exceptions 1
try:
    $+i1 = $i % $i
except ZeroDivisionError:
    $1 = 0
else:
    $1 = $1 + 1

i 2 loops 2
for $+i1 in range($_n):
    if $1 * $1 > $.i:
        $+i2 = $1
        break
else:
    $2 = -1

s 3 match 3
match $.i % $_k:
    case 0:
        $+s1 = $s
    case 1 | 2:
        $1 = $s
    case _:
        $1 = $s

i 3 match 2
match $T:
    case (0, $+i1):
        $+i2 = $1
    case ($1, 0) if $1 > $_c:
        $2 = -$1
    case _:
        $1 = $2 = $i

i 3 match 2
match $I:
    case []:
        $+i1 = 0
    case [$1]:
        pass
    case [$1, *_]:
        $1 = $1 + $i

i 3 walrus 3
if ($+i1 := $i) > $_c:
    $1 = $1 - $i

i 3 walrus 1
$+i1: int = 0
$+I2: list[int] = [($1 := $1 + $3) for $*i3 in $!I]

I 3 unpacking 2
$+i1, *$+I2 = [$i, $i, *$I]

i 3 unpacking 1
($+i1, $+i2), $+s3 = $T, $s
""")
