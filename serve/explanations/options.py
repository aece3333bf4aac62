"""What is wanted of an explanation."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from recsys.explain.explainer import Depth
from recsys.explain.text.rule_text import Style
from recsys.histories.live_histories import Subject
from serve.bundles.options import Options


@dataclass(frozen=True)
class ExplanationRequest:
    """An explanation wanted of an item, in the list of a user or a session.

    Attributes:
        subject: a user by id; a session by the ids of its items, oldest first.
        item_id: explained.
        options: of the list.
        depth: cheap leaves out what runs the recommender again.
        style: of the text.
        reference: id of the item that it is compared with; None: the first that is not in the list.
        language: of text and numbers, like en or de_CH; None: the server's.
        visitor_id: of a session, the id by which the shop knows its visitor.
        sensitive: show facts that are not shown without being asked for.
        started: `time.perf_counter()` at its arrival.
    """

    subject: Subject
    item_id: str
    options: Options
    depth: Depth = "full"
    style: Style = "sentence"
    reference: str | None = None
    language: str | None = None
    sensitive: bool = False
    visitor_id: str | None = None
    started: float = field(default_factory=time.perf_counter)
