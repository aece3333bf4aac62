"""Settings of the matrix factorisations."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsys.core.settings import Positive, Section
from recsys.sources.tried import Tried

NotNegative = Annotated[float, Field(ge=0)]


class InteractionWeightSettings(Section):
    """How much an interaction weighs in a matrix factorisation."""

    spending_power: NotNegative = Field(
        0.0,
        description="Interactions weigh (price / the user's mean price) to this power in ALS (BPR ignores weights); "
        "0: off.",
    )
    quantity_power: NotNegative = Field(
        0.0,
        description="And (quantity / the item's mean quantity) to this power; 0: off.",
    )


class AlsSettings(InteractionWeightSettings):
    """Of alternating least squares."""

    als_factors: Annotated[list[Positive], Tried("factors")] = Field(
        [64, 256], min_length=1, description="ALS factors tried."
    )
    als_regularization: Annotated[list[NotNegative], Tried("regularization")] = Field(
        [0.01, 1.0], min_length=1, description="ALS regularisation tried."
    )
    als_alpha: Annotated[list[Annotated[float, Field(gt=0)]], Tried("alpha")] = Field(
        [1.0, 20.0], min_length=1, description="Confidence of an interaction of weight 1 in ALS, tried."
    )
    als_iterations: Positive = Field(15, description="ALS iterations.")


class BprSettings(InteractionWeightSettings):
    """Of Bayesian personalised ranking."""

    bpr_factors: Annotated[list[Positive], Tried("factors")] = Field(
        [64], min_length=1, description="BPR factors tried."
    )
    bpr_learning_rate: Annotated[list[Annotated[float, Field(gt=0)]], Tried("learning_rate")] = Field(
        [0.02, 0.1], min_length=1, description="BPR learning rates tried."
    )
    bpr_regularization: Annotated[list[NotNegative], Tried("regularization")] = Field(
        [0.01], min_length=1, description="BPR regularisation tried."
    )
    bpr_iterations: Positive = Field(100, description="BPR iterations.")
