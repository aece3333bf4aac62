"""A grocer's repeats from the log to the list: prepared, trained, measured and served."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys import cli
from recsys.bundle import open_bundle
from recsys.config import load_config
from recsys.core.errors import DataError
from recsys.core.queries import Queries
from recsys.prepare import columns as c
from recsys.prepare.prepared import PreparedDataset
from recsys.train.steps.context import RunContext
from tests.support.grocer import MILK, USERS, WEEKS, trained
from tests.support.serving import answer_to, get, running, service_of

pytestmark = pytest.mark.slow  # three bundles are trained


@dataclass(frozen=True)
class Grocer:
    """Its folder with a dataset and a bundle for each of the rules trained so far."""

    folder: Path

    def dataset(self, repeats: str) -> PreparedDataset:
        return PreparedDataset.load(self.folder / "prepared" / repeats)

    def top(self, repeats: str, k: int) -> dict[str, list[str]]:
        """The first items of each user by a bundle, as a list right after validation would have them."""
        dataset = self.dataset(repeats)
        histories = dataset.histories((c.TRAIN, c.VALIDATION))
        users = np.arange(len(histories), dtype=np.int32)
        queries = Queries(histories, users, np.zeros(len(users), np.int64))
        with open_bundle(self.folder / "bundles" / repeats) as bundle:
            listed = bundle.recommender().recommend(queries, k, exclude_seen=False).items
        return {str(user): dataset.item_ids[row].tolist() for user, row in zip(dataset.user_ids, listed, strict=True)}


@pytest.fixture(scope="module")
def grocer(tmp_path_factory: pytest.TempPathFactory) -> Grocer:
    folder = tmp_path_factory.mktemp("grocer")
    for repeats in ("all", "latest"):
        trained(folder, repeats)
    return Grocer(folder)


def bought_again(dataset: PreparedDataset) -> dict[str, str]:
    """Of each user the test item that train or validation holds too, by ids."""
    frame = dataset.interactions
    known = frame[frame[c.SPLIT] != c.TEST][[c.USER, c.ITEM]].drop_duplicates()
    again = frame[frame[c.SPLIT] == c.TEST].merge(known)
    return dict(zip(dataset.user_ids[again[c.USER]], dataset.item_ids[again[c.ITEM]], strict=True))


def test_milk_counts_every_purchase(grocer: Grocer) -> None:
    dataset = grocer.dataset("all")
    milk = dataset.interactions[c.ITEM] == dataset.item_ids.tolist().index(MILK)
    assert milk.sum() == USERS * WEEKS
    with open_bundle(grocer.folder / "bundles/all") as bundle:
        popularity = bundle.source("popularity")
        (best,) = popularity.propose(Queries(bundle.histories.select([-1]), np.array([-1]), np.zeros(1)), 1).items[0]
        train = (milk & (dataset.interactions[c.SPLIT] == c.TRAIN)).sum()
        assert dataset.item_ids[best] == MILK
        assert (
            popularity.score(Queries(bundle.histories.select([-1]), np.array([-1]), np.zeros(1)))[0, best] == 5 * train
        )


def test_what_is_bought_again_is_found_again(grocer: Grocer) -> None:
    wanted = bought_again(grocer.dataset("all"))
    assert len(wanted) > USERS * 0.8
    recall = {}
    for repeats in ("all", "latest"):
        top = grocer.top(repeats, 5)
        recall[repeats] = np.mean([item in top[user] for user, item in wanted.items()])
    assert recall["all"] > 0.8
    assert recall["latest"] < 0.4
    assert np.mean([MILK in items for items in grocer.top("all", 5).values()]) > 0.9


def test_evaluation_counts_repeats(grocer: Grocer, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--config", str(grocer.folder / "all.yaml")]) == 0
    assert "seen items removed" not in capsys.readouterr().out.partition("±")[0].replace("\n", " ")
    results = json.loads((grocer.folder / "reports/all/metrics.json").read_text("utf8"))
    assert results["protocol"]["headline_protocol"] == "nothing_removed"
    assert results["repeated_targets"] == len(bought_again(grocer.dataset("all")))
    assert results["ranking"]["nothing_removed"]["users"] == USERS
    assert results["candidates"]["recall"]["mean"] > 0.9
    page = (grocer.folder / "reports/all/report.html").read_text("utf8")
    first, second = (page.find(f"<summary>{title}") for title in ("Nothing removed", "Seen items removed"))
    assert 0 < first < second
    assert results["ranking"]["nothing_removed"]["systems"]["system"]["metrics"]["recall@10"]["mean"] > 0.9


def test_the_server_offers_milk_again(grocer: Grocer, tmp_path: Path) -> None:
    bundle = grocer.folder / "bundles/all"
    with service_of(bundle) as service:
        again = answer_to(service, "user-3", k=10, exclude_seen=False)
        new = answer_to(service, "user-3", k=10)
    assert MILK in {item["item_id"] for item in again["items"]}
    assert MILK not in {item["item_id"] for item in new["items"]}
    with running(bundle=bundle, store=f"sqlite:///{tmp_path}/s.sqlite") as (client, _):
        before = get(client, "user-3", exclude_seen="false")["user"]["interactions"]
        for kind in ("purchase", "view"):
            event = {"user_id": "user-3", "item_id": MILK, "event_type": kind}
            assert client.post("/events", json=event).status_code == 200
        answer = get(client, "user-3", exclude_seen="false")
        assert answer["user"]["interactions"] == before + 1  # once more, and a view is no purchase
        assert MILK in {item["item_id"] for item in answer["items"]}
        assert MILK not in {item["item_id"] for item in get(client, "user-3", exclude_seen="purchases")["items"]}


def test_a_dataset_with_other_repeats_is_refused(grocer: Grocer) -> None:
    config = load_config(grocer.folder / "latest.yaml", [])
    with pytest.raises(DataError, match=r"data\.repeats: latest"):
        RunContext.of(config, grocer.dataset("all"))


@pytest.mark.slow
def test_counts_do_as_well(grocer: Grocer) -> None:
    trained(grocer.folder, "count")
    frame = grocer.dataset("count").interactions
    assert not frame.duplicated([c.USER, c.ITEM, c.SPLIT]).any()
    assert frame[c.COUNT].sum() == len(grocer.dataset("all").interactions)
    top, wanted = grocer.top("count", 5), bought_again(grocer.dataset("all"))
    assert np.mean([item in top[user] for user, item in wanted.items()]) > 0.7
    with open_bundle(grocer.folder / "bundles/count") as bundle:
        pairs = pd.DataFrame({"user": bundle.histories.rows, "item": bundle.histories.items})
        assert not pairs.duplicated().any()
