"""Settings of the two-tower's index."""

from __future__ import annotations

from pydantic import Field

from recsys.core.settings import NonNegative, Positive, Section, Share


class IndexConfig(Section):
    """The ScaNN index."""

    exact_below: NonNegative = Field(5000, description="Catalogues smaller than this are searched exactly.")
    min_recall: Share = Field(0.98, description="recall@100 against exact search below which export stops.")
    target_recall: Share = Field(
        0.99,
        description="The search widens at export until this recall@100 is reached, or narrows while it stays above; "
        "not if leaves_to_search or reorder is given.",
    )
    leaves: Positive | None = Field(None, description="ScaNN partitions; null: from the catalogue's size.")
    leaves_to_search: Positive | None = Field(None, description="Partitions searched; null: from the size.")
    reorder: Positive | None = Field(None, description="Candidates rescored exactly; null: from the size.")
    sample_queries: Positive = Field(1000, description="User vectors (seeded) on which recall is measured.")
