"""What a training costs: arithmetic counted from the shapes of a step, and hours from it or from measured steps."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.config import Config
from recsys.train.touched_rows import LEAST_ROWS

MULTIPLY_ADD = 2  # operations
BACKWARD = 3  # a matrix product, and two more of its size for the gradients of both factors
EPOCHS = 20  # of a fit: most are best after about 15, and stop 5 later
FITS = 2  # the two-tower, and its twin on a prefix for the ranker
EVENTS = (10**6, 10**7, 10**8)
# Share of a GPU's peak that matrix products of this size reach. To be measured: `benchmarks/gpu.py` prints it.
USUAL_SHARE = 0.2


@dataclass(frozen=True)
class StepCost:
    """Of one target, the mean over a step.

    Attributes:
        user_tower, item_tower, softmax: floating point operations, forward and backward.
        update_bytes: read and written by the optimizer, of the item table.
    """

    user_tower: float
    item_tower: float
    softmax: float
    update_bytes: float

    @property
    def operations(self) -> float:
        """All of them."""
        return self.user_tower + self.item_tower + self.softmax


def count(config: Config, *, n_items: int, text_dim: int, targets: float, length: float) -> StepCost:
    """Count the arithmetic of a target.

    Args:
        config: with the retrieval loss chosen.
        n_items: of the catalogue.
        text_dim: width of the text vectors.
        targets: in a step.
        length: mean length of the histories in it, padding included.
    """
    model, training = config.model, config.training
    output = model.dim + (model.text_match_dim if model.text_match else 0)
    sampled = training.retrieval_loss == "sampled"
    candidates = min(n_items, training.negatives) if sampled else n_items
    of_step = min(n_items, 2 * targets + training.negatives) if sampled else n_items
    # A block: queries, keys, values and output, two layers of its own width behind them; and attention.
    block = 6 * model.dim**2 + 2 * length * model.dim
    products = MULTIPLY_ADD * BACKWARD
    # Weights, gradient and both moments are read, all but the gradient are written.
    touched = of_step if sampled and n_items >= LEAST_ROWS else n_items
    return StepCost(
        user_tower=products * model.layers * block,
        item_tower=products * of_step / targets * text_dim * output,
        softmax=products * candidates * output,
        update_bytes=7 * 4 * touched * model.dim / targets,
    )


def hours(events: int, targets_a_second: float, epochs: int = EPOCHS) -> float:
    """Of the whole training of the towers, where nearly every event is a target once an epoch."""
    return events * epochs * FITS / targets_a_second / 3600


def estimated_targets_a_second(cost: StepCost, teraflops: float, gigabytes: float, share: float = USUAL_SHARE) -> float:
    """Of a device with so many 10^12 operations and 10^9 bytes a second, of which a share is reached."""
    return 1 / (cost.operations / (share * teraflops * 1e12) + cost.update_bytes / (share * gigabytes * 1e9))
