"""The text match is set to what does best on validation."""

import pytest

from recsys.core.progress import Step
from recsys.train.steps.match_text import match_text
from tests.support import training as tiny


class _Prefers:
    """A validator that likes one setting of the text match."""

    def __init__(self, model, scale: float, decay: float) -> None:
        self._model, self._wanted = model, (scale, decay)

    def __len__(self) -> int:
        return 1

    def __call__(self) -> dict[str, float]:
        scale, decay = self._model.user_tower.match
        return {"ndcg@10": -abs(scale - self._wanted[0]) - abs(decay - self._wanted[1])}


def test_the_text_match_that_validation_prefers_is_kept() -> None:
    config = tiny.make_config()
    train, _ = tiny.make_histories()
    model = tiny.make_model(config, train)
    trained, _ = model.user_tower.match
    match_text(model, _Prefers(model, 2.9 * trained, 0.62), config, Step.silent())
    scale, decay = model.user_tower.match
    assert scale / trained == pytest.approx(3.0, rel=1e-4)
    assert decay == pytest.approx(0.6, rel=1e-4)


def test_what_was_trained_stays_where_nothing_does_better() -> None:
    config = tiny.make_config()
    train, _ = tiny.make_histories()
    model = tiny.make_model(config, train)
    before = model.user_tower.match
    match_text(model, _Prefers(model, *before), config, Step.silent())
    assert model.user_tower.match == pytest.approx(before, rel=1e-6)
