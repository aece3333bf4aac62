"""The sources there are, one entry each, and their settings. What an entry names is imported when it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from recsys.core.settings import Section
from recsys.sources.content.settings import ContentSettings
from recsys.sources.factors.settings import AlsSettings, BprSettings
from recsys.sources.item_to_item.settings import Bm25Settings, EaseSettings, NeighbourSettings, TransitionSettings
from recsys.sources.popularity.settings import RecentPopularitySettings


@dataclass(frozen=True)
class Entry:
    """A source that `retrieval.retrievers` may name.

    Attributes:
        name: by which configs, bundles and answers call it.
        label: how reports call it.
        description: what it is, in a line.
        settings: those that its fit reads.
        fit: dotted path of a `recsys.sources.fitting.Fit`. Its module may need SciPy, scikit-learn or implicit, which a
            server does not load.
    """

    name: str
    label: str
    description: str
    settings: type[Section]
    fit: str


_ENTRIES = (
    Entry(
        "popularity",
        "Popularity",
        "the same most popular train items for everyone",
        Section,
        "recsys.sources.popularity.fit.POPULARITY",
    ),
    Entry(
        "recent_popularity",
        "Recent popularity",
        "popularity in which interactions lose weight with age",
        RecentPopularitySettings,
        "recsys.sources.popularity.fit.RECENT_POPULARITY",
    ),
    Entry(
        "neighbours_bm25",
        "Neighbours, BM25",
        "items of common users, BM25-weighted, recency decay",
        Bm25Settings,
        "recsys.sources.item_to_item.neighbours_fit.BM25",
    ),
    Entry(
        "neighbours_cosine",
        "Neighbours, cosine",
        "items of common users, cosine similarity, recency decay",
        NeighbourSettings,
        "recsys.sources.item_to_item.neighbours_fit.COSINE",
    ),
    Entry(
        "neighbours_cooccurrence",
        "Neighbours, co-occurrence",
        "items of common users, plain counts, recency decay",
        NeighbourSettings,
        "recsys.sources.item_to_item.neighbours_fit.COOCCURRENCE",
    ),
    Entry(
        "transitions",
        "Transitions",
        "what was chosen soon after the items of the history",
        TransitionSettings,
        "recsys.sources.item_to_item.transitions_fit.TRANSITIONS",
    ),
    Entry(
        "ease",
        "EASE",
        "linear item-item model in closed form (Steck, 2019)",
        EaseSettings,
        "recsys.sources.item_to_item.ease_fit.EASE",
    ),
    Entry(
        "als",
        "ALS",
        "matrix factorisation of implicit feedback (Hu et al., 2008)",
        AlsSettings,
        "recsys.sources.factors.fit.ALS",
    ),
    Entry(
        "bpr",
        "BPR",
        "matrix factorisation by pairwise ranking (Rendle et al., 2009)",
        BprSettings,
        "recsys.sources.factors.fit.BPR",
    ),
    Entry(
        "content_tfidf",
        "Content, TF-IDF",
        "items of similar words, recency decay",
        ContentSettings,
        "recsys.sources.content.fit.TFIDF",
    ),
    Entry(
        "content_encoder",
        "Content, text encoder",
        "items of similar text embeddings, recency decay",
        ContentSettings,
        "recsys.sources.content.fit.ENCODER",
    ),
)
ENTRIES = {entry.name: entry for entry in _ENTRIES}

FALLBACK = "popularity"
"""The source that answers users without a history; every bundle has it."""

TWO_TOWER, HYBRID, BLEND = "two_tower", "hybrid", "blend"
"""Names of the sources that have no entry."""

RANKER = "ranker"
"""Name of the model that puts candidates in order."""

NOT_PERSONAL = (FALLBACK, "recent_popularity")
"""Sources that say the same of everyone. The ranker has features of popularity anyway, so that it may name neither."""

RESERVED = (
    *(TWO_TOWER, HYBRID, BLEND, RANKER, "full"),
    *("system", "two_tower_scann", "two_tower_exact"),
    *("price", "brand", "category", "history", "rating", "source_sum", "others"),
    *("brand_of", "category_of"),  # whose `_last_item` would be a feature of the brand and of the category
)
"""Names that answers, reports and groups of features use for what is no entry here."""

KINDS = {
    "two_tower": "recsys.sources.two_tower.source.TwoTowerSource",
    "popularity": "recsys.sources.popularity.source.Popularity",
    "item_to_item": "recsys.sources.item_to_item.source.ItemToItem",
    "factors": "recsys.sources.factors.source.ImplicitFactors",
}
"""The class that reads a source back, by the kind that a bundle notes beside it."""


class ChosenSources(Section):
    """Which sources are fitted."""

    retrievers: list[str] = Field(
        list(ENTRIES),
        min_length=1,
        description="Sources fitted and put into the bundle beside the two-tower and the hybrid: "
        f"{', '.join(ENTRIES)}.",
    )
    plugins: dict[str, dict[str, Any]] = Field(
        {},
        description="Sources from outside of this program, by name: `class`, the dotted path of a `PluggedSource`, "
        "and its settings. They are fitted with the others, and propose if ranking.retrievers or the hybrid has them.",
    )


class SourceSettings(
    RecentPopularitySettings,
    ContentSettings,
    BprSettings,
    AlsSettings,
    EaseSettings,
    TransitionSettings,
    Bm25Settings,
    ChosenSources,
):
    """The settings of all sources in one section, the last base's first."""
