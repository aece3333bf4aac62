"""Which experiments a list belongs to, as answers say it."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from serve.answers import Answer
from serve.variants.deliveries import Delivery


class VariantInfo(Answer):
    """An experiment that the user is in, and what it made of the list."""

    experiment: Annotated[str, Meta(description="Its key.", examples=["new-ranker"])]
    version: Annotated[int, Meta(description="Of its definition.", examples=[1])]
    variant: Annotated[
        str | None,
        Meta(description="That the user has; null: the list is drafted from the lists of two.", examples=["treatment"]),
    ]
    delivered: Annotated[
        bool,
        Meta(
            description="false: the list is as without the experiment: the request itself asks for what the variant "
            "would change, or this worker has not got its bundle or model.",
            examples=[True],
        ),
    ]


Variants = Annotated[
    list[VariantInfo] | UnsetType,
    Meta(description="The experiments that the user is in; absent: none."),
]


def variants_of(delivery: Delivery) -> Variants:
    """What answers say of a delivery."""
    if not delivery.assigned:
        return UNSET
    missed = dict(delivery.undelivered)
    return [
        VariantInfo(
            experiment=one.experiment,
            version=one.version,
            variant=one.variant or None,
            delivered=one.experiment not in missed,
        )
        for one in delivery.variants
    ]
