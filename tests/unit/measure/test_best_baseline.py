from __future__ import annotations

from recsys.measure.best_baseline import validation_figures


def test_validation_figures_are_those_of_the_settings_chosen() -> None:
    metrics = {
        "retrievers": {
            "als": {"tried": [{"ndcg@10": 0.02}, {"ndcg@10": 0.03}]},
            "bpr": {"tried": [{"ndcg@10": None}]},  # no validation split
            "ease": {"tried": [{"ndcg@5": 0.9}]},  # another metric
            "content_tfidf": {"tried": []},
        },
        "hybrid": {"ndcg@10": 0.05, "tried": 9, "blend": {"ndcg@10": None, "tried": 0}},
    }
    assert validation_figures(metrics, "ndcg@10") == {"als": 0.03, "hybrid": 0.05}
    assert validation_figures({}, "ndcg@10") == {}
