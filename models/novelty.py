"""Is this failure new, or known, and since when? Templates of masked messages with how many builds had them.

A template is what messages of one kind have in common (``models/template_tree.py``). Builds are counted, not
diagnostics: the forty errors of a cascade are one sighting. "New" means new to this partition and to what it still
holds: a template that was dropped for want of room begins anew.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from models.caching import BoundedCache
from models.template_tree import MAX_LEAF, Leaf, Template, Tree, leaf_key, name_of, tokens_in, tokens_of, turn_of

CAPACITY = 4_000  # templates: 16 MB at worst; 60 % of rustc's own tests make 1,900, real programs some hundred
WINDOW = 500  # builds over which the share of new ones is taken
KNOWN_BYTES = 4 << 20  # of the cache from a text to its template
ENTRY_BYTES = 300  # of an entry in it, beside the text


class Sighting(NamedTuple):
    """What is known of a message's template: in how many builds it was seen before this one, and when first.

    ``first`` is RFC 3339 text, this build's time where ``seen`` is 0.
    """

    template_id: str
    seen: int
    first: str
    template: str

    def __str__(self) -> str:
        """Return what a person wants to know of it, in words."""
        if not self.seen:
            return "new: no build before had a failure like this"
        return f"known: seen in {self.seen} build{'s' if self.seen > 1 else ''} before, first on {self.first[:10]}"


class Templates:
    """Templates of messages by when they were last seen, the longest unseen dropped first.

    A message costs a look-up when its text was met since its leaf last changed. One never seen is compared with at most
    ``MAX_LEAF`` templates. What comes since ``mark_saved`` is what an incremental checkpoint carries.

    Examples
    --------
    >>> templates = Templates()
    >>> templates.observe("cannot find value <name> in this scope", "2026-01-01T00:00:00Z").seen
    0
    >>> templates.observe("cannot find value <constant> in this scope", "2026-01-02T00:00:00Z")[1:]
    (1, '2026-01-01T00:00:00Z', 'cannot find value <*> in this scope')
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.created = 0  # templates ever: a counter for a metric
        self._templates: OrderedDict[str, Template] = OrderedDict()
        self._tree = Tree()
        self._known: BoundedCache[str, tuple[Template, Leaf, int]] = BoundedCache(KNOWN_BYTES)  # with leaf's version
        self._changed: dict[str, Template] = {}
        self._turn = 0  # of the sighting: in what order templates were last seen
        self._new: deque[bool] = deque(maxlen=WINDOW)

    def __len__(self) -> int:
        return len(self._templates)

    def observe(self, masked: str, time: str) -> Sighting:
        """Take in a build with a single message; see ``observe_build``."""
        return self.observe_build([masked], time)[0]

    def observe_build(self, masked: Sequence[str], time: str) -> list[Sighting]:
        """Take in the masked messages of one build and return what was known of each before it, in their order.

        ``time`` is RFC 3339 text. Each template counts once, however many of the messages are of it.
        """
        created = self.created
        found = [self._template(text, time) for text in masked]
        sightings = [Sighting(one.id, one.seen, one.first, one.text) for one in found]
        distinct = dict.fromkeys(found) if len(found) > 1 else found
        self._count(distinct)
        if self.created != created:
            self._bound(distinct)
        return sightings

    @property
    def new_share(self) -> float:
        """Return the share of builds with a message never seen before, of the last ``WINDOW`` builds."""
        return sum(self._new) / len(self._new) if self._new else 0.0

    def _count(self, distinct: Iterable[Template]) -> None:
        new = False
        for template in distinct:
            new = new or not template.seen
            template.seen += 1
            self._turn += 1
            template.turn = self._turn
            self._templates.move_to_end(template.id)
            self._changed[template.id] = template
        self._new.append(new)

    def _template(self, masked: str, time: str) -> Template:
        known = self._known.get(masked)
        if known is not None and known[2] == known[1].version:
            return known[0]
        tokens = tokens_of(masked)
        leaf = self._tree.leaf(leaf_key(tokens))
        template = leaf.find(tokens)
        if template is None:
            return self._create(tokens, time)
        if template.generalise(tokens):
            leaf.version += 1
        else:  # only now is a search sure to find the same again
            self._remember(masked, template, leaf)
        return template

    def _remember(self, masked: str, template: Template, leaf: Leaf) -> None:
        self._known.pop(masked, None)
        self._known.keep(masked, (template, leaf, leaf.version), 4 * len(masked) + ENTRY_BYTES)

    def _create(self, tokens: tuple[str, ...], time: str) -> Template:
        name = name_of(tokens)
        held = self._templates.get(name)
        if held is not None:  # two hashes are equal: by a chance of 2^-64, or by somebody's work
            return held
        template = Template(name, tokens, 0, time)
        self._hold(template)
        self.created += 1
        return template

    def _hold(self, template: Template) -> None:
        self._turn += 1
        template.turn = self._turn
        self._templates[template.id] = template
        self._tree.hold(template)

    def _bound(self, added: Iterable[Template]) -> None:
        """Drop what has no room any more, after a whole build: what a build has met stays until it is counted."""
        for template in added:
            leaf = self._tree.leaf(template.key)
            while len(leaf.templates) > MAX_LEAF:
                self._drop(leaf.longest_unseen())
        while len(self._templates) > self.capacity:
            self._drop(next(iter(self._templates.values())))

    def _drop(self, template: Template) -> None:
        del self._templates[template.id]
        self._tree.drop(template)
        self._changed.pop(template.id, None)

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data: templates as ``[id, text, seen, first]``, longest unseen first."""
        return self._dumped(self._templates.values())

    def dump_changed(self) -> dict[str, Any]:
        """Return what changed since ``mark_saved``, in the form of ``dump``."""
        return self._dumped(sorted(self._changed.values(), key=turn_of))

    def _dumped(self, templates: Iterable[Template]) -> dict[str, Any]:
        return {
            "templates": [[one.id, one.text, one.seen, one.first] for one in templates],
            "created": self.created,
            "window": "".join(["1" if new else "0" for new in self._new]),
        }

    def mark_saved(self) -> None:
        """Forget what was new: a checkpoint carries it now."""
        self._changed = {}

    def extend(self, data: Mapping[str, Any]) -> None:
        """Take in what ``dump`` returned, where nothing is held yet, or what ``dump_changed`` returned since then.

        What was dropped meanwhile is dropped here, too: what stays depends on when each was last seen, on nothing else.
        """
        came = {name: Template(name, tokens_in(text), seen, first) for name, text, seen, first in data["templates"]}
        for name in came:
            if name in self._templates:
                self._drop(self._templates[name])
        for template in came.values():
            self._hold(template)
        self._bound(came.values())
        self.created = data["created"]
        self._new = deque([one == "1" for one in data["window"]], maxlen=WINDOW)
        self.mark_saved()
