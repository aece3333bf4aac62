"""What a fit will take of the machine's memory, reckoned before its first step, against what is free.

A process that takes too much is killed without a word, maybe hours later, when the batch of the longest histories
comes up. The sizes are counted from the shapes that a step makes; what TensorFlow holds beside them is little.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from recsys.config import Config
from recsys.core.errors import TrainingError
from recsys.train.touched_rows import LEAST_ROWS, updates_touched_rows
from recsys.train.validator import SCORES_AT_A_TIME

GIGABYTE = 1e9
_FLOAT = 4
_STATES = 3  # of a table: weights and both moments of Adam
# Floats that are held for the gradient at a position of a history: in units of `model.dim`, and of heads x length.
_OF_BLOCK, _OF_BLOCK_ATTENTION = 18, 4
_OF_TOWER_ENDS = 4
_OF_ITEM = 6  # of the learned parts of an item's vector, in units of `model.dim`; its text counts twice
_OF_TARGET = 6  # vectors of each target: its query, itself, and their gradients
_COPIES_OF_LOGITS = 4
# What was measured is this share of what is reckoned, or more: not all of it is held at one moment.
SURE_SHARE = 0.7
_REMEDY = (
    "lower training.batch_size or model.max_history (user tower), training.softmax_chunk or training.negatives "
    "(logits) or model.dim (tables), set training.retrieval_loss=sampled (items, logits), or train on a machine with "
    "more memory"
)


@dataclass(frozen=True)
class FitMemory:
    """Bytes by what takes them.

    Attributes:
        tables: embeddings with their optimizer's moments, and their gradients where these are whole tables.
        texts: TensorFlow's copy of the items' text vectors.
        user_tower: what the gradient needs of the longest batch.
        items: vectors of the items of that step.
        logits: of the retrieval loss, with the vectors of the targets.
        validation: item vectors and a block of scores; not at the same time as a step.
    """

    tables: int
    texts: int
    user_tower: int
    items: int
    logits: int
    validation: int

    @property
    def total(self) -> int:
        """At the worst moment."""
        return self.tables + self.texts + max(self.user_tower + self.items + self.logits, self.validation)

    def says(self) -> str:
        """The parts in words, largest first."""
        parts = sorted(asdict(self).items(), key=lambda part: -part[1])
        return ", ".join(f"{name.replace('_', ' ')} {size / GIGABYTE:.2f}" for name, size in parts)


def fit_memory(
    config: Config, *, n_items: int, n_trained: int, n_users: int, text_dim: int, positions: int, length: int
) -> FitMemory:
    """What a fit takes on one device.

    Args:
        config: `model` and `training`, whose retrieval loss is chosen.
        n_items, n_users: rows of the tables.
        n_trained: items that occur in training: the others are in no step.
        text_dim: width of the items' text vectors.
        positions: of the largest batch of one replica, padding included.
        length: of its histories.
    """
    model, training = config.model, config.training
    sampled = training.retrieval_loss == "sampled"
    output = model.dim + (min(model.text_match_dim, text_dim) if model.text_match else 0)
    tables = (n_items * model.use_item_id, n_users * model.use_user_id)
    # The gradient of a table is as large as the table, unless its touched rows alone are updated.
    by_row = updates_touched_rows(training)
    states = [_STATES if by_row and rows >= LEAST_ROWS else _STATES + 1 for rows in tables]
    of_step = min(n_trained, 2 * positions + training.negatives) if sampled else n_trained
    candidates = min(n_trained, training.negatives) if sampled else n_trained
    block = _OF_BLOCK * model.dim + _OF_BLOCK_ATTENTION * model.heads * length
    return FitMemory(
        tables=sum(rows * each for rows, each in zip(tables, states, strict=True)) * model.dim * _FLOAT,
        texts=n_items * text_dim * _FLOAT,
        user_tower=positions * (model.layers * block + _OF_TOWER_ENDS * output) * _FLOAT,
        items=of_step * (2 * text_dim + _OF_ITEM * model.dim + output) * _FLOAT,
        logits=(
            positions * _OF_TARGET * output
            + min(training.softmax_chunk, positions) * candidates * _COPIES_OF_LOGITS
            + 2 * candidates * output
        )
        * _FLOAT,
        validation=(2 * n_items * output + 2 * SCORES_AT_A_TIME) * _FLOAT,
    )


def require_memory(needed: FitMemory, free: int | None) -> str:
    """A line that says what a fit takes of what is free.

    Args:
        needed: see `fit_memory`.
        free: bytes; None: nobody knows.

    Raises:
        TrainingError: it takes more, for sure.
    """
    total = f"about {needed.total / GIGABYTE:.1f} GB"
    if free is None:
        return f"Memory: the fit takes {total} beside what is loaded"
    if SURE_SHARE * needed.total > free:
        raise TrainingError(
            f"{total} of free memory for the fit (GB: {needed.says()})", f"{free / GIGABYTE:.1f} GB free", _REMEDY
        )
    if needed.total > free:
        return (
            f"Memory: the fit may take {total} (GB: {needed.says()}), and {free / GIGABYTE:.1f} GB are free. "
            f"If it ends without a word, {_REMEDY}"
        )
    return f"Memory: the fit takes {total} of {free / GIGABYTE:.1f} GB free"
