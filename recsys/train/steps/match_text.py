"""Step: set scale and decay of the text match to what does best on validation.

Training shrinks the text part's scale and lengthens its memory while the learned part fits the training pairs, more
than serves unseen pairs; so validation has the last word.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from recsys.config import Config
from recsys.core.progress import Step
from recsys.models import TwoTower
from recsys.train.validator import EARLY_STOPPING_METRIC, Validator


class Match(NamedTuple):
    """Scale of the text match, relative to the trained one, and its decay, None for the trained one."""

    factor: float = 1.0
    decay: float | None = None


def apply_match(model: TwoTower, match: Match) -> None:
    """Set scale and decay of the text match of a freshly trained model, if it has one."""
    if not model.item_tower.match_dim:
        return
    scale, decay = model.user_tower.match
    model.user_tower.set_match(scale * match.factor, decay if match.decay is None else match.decay)


def match_text(model: TwoTower, validate: Validator, config: Config, step: Step) -> Match:
    """Set scale and decay of the text match to those that do best on validation, of the config's and the trained."""
    if not len(validate) or not config.model.text_match:
        step.print("The text match stays as it was trained")
        return Match()
    scale, decay = model.user_tower.match
    decays = (None, *config.model.text_match_decays)
    matches = list(itertools.starmap(Match, itertools.product(config.model.text_match_factors, decays)))
    tried = {}
    with step.bar("Scales and decays", len(matches)) as bar:
        for match in matches:
            model.user_tower.set_match(scale, decay)
            apply_match(model, match)
            tried[match] = validate()[EARLY_STOPPING_METRIC]
            bar.advance()
    best = max(tried, key=tried.__getitem__)
    model.user_tower.set_match(scale, decay)
    apply_match(model, best)
    chosen_scale, chosen_decay = model.user_tower.match
    step.print(
        f"Text match scale {chosen_scale:.2f} (trained {scale:.2f}), decay {chosen_decay:.2f} (trained {decay:.2f}); "
        f"{EARLY_STOPPING_METRIC} on validation {tried[best]:.4f}, the best of {len(tried)} tried"
    )
    return best
