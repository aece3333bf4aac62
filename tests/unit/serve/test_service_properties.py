"""Whatever is asked, of whoever, after whatever happened: what every answer of the service keeps to."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.core.events import EVENT_TYPES
from recsys.store import Event
from serve.bundles.facets import Filter
from serve.bundles.options import Options
from serve.recommendations.answers import RecommendationResponse
from serve.recommendations.schemas import RecommendationQuery
from serve.recommendations.service import RecommendationRequest
from serve.server import Server
from serve.settings import Settings
from tests.support.bundles import DAY, START
from tests.support.serving import N_ITEMS, N_USERS, UNHURRIED, as_json, history_of, row_of
from tests.support.waiting import START_TIMEOUT_S, eventually

END = START + 1000 * DAY
numbers = itertools.count()

some_text = st.text(min_size=1, max_size=20)
user_ids = st.integers(0, N_USERS - 1).map("user{}".format) | some_text
item_ids = st.integers(0, N_ITEMS - 1).map("item{}".format) | some_text
storable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
events = st.builds(
    lambda user_id, item_id, event_type, timestamp: Event(
        f"e{next(numbers)}", user_id, item_id, event_type, timestamp, 3.0 if event_type == "rating" else None
    ),
    st.integers(0, N_USERS - 1).map("user{}".format) | storable,
    st.integers(0, N_ITEMS - 1).map("item{}".format) | storable,
    st.sampled_from(EVENT_TYPES),
    st.floats(0, END, allow_nan=False),
)
prices = st.none() | st.floats(0, 100)
options = st.builds(
    lambda prices, **others: RecommendationQuery(min_price=prices[0], max_price=prices[1], **others).options(),
    st.tuples(prices, prices).map(lambda pair: sorted(pair) if None not in pair else pair),
    k=st.integers(1, 100),
    model=st.sampled_from(["full", "two_tower", "popularity", "transitions", "bpr", "blend", "hybrid"]),
    exclude_seen=st.booleans(),
    category=st.none() | st.sampled_from(["All", "Group 3"]) | some_text,
    brand=st.none() | st.just("Brand 5") | some_text,
    as_of=st.none() | st.floats(0, END),
)
subjects = st.lists(user_ids | st.lists(item_ids, min_size=1, max_size=5).map(tuple), min_size=1, max_size=5).map(tuple)
requests = st.lists(st.builds(RecommendationRequest, options, subjects), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def server(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = f"sqlite:///{tmp_path_factory.mktemp('properties')}/store.sqlite"
    server = Server(Settings(**{**UNHURRIED, "bundle": bundle_path, "store": store}))
    server.start()
    server.parts.bundles.first.result(START_TIMEOUT_S)
    eventually(lambda: server.parts.link.reachable)
    yield server
    server.close()


def check(server: Server, new_events: list[Event], asked: list[RecommendationRequest]) -> None:
    link = server.parts.link
    assert link is not None
    link.append(new_events)
    recommended = server.recommendations.service.recommend(asked)
    assert len(recommended) == len(asked)
    for request, answers in zip(asked, recommended, strict=True):
        assert isinstance(answers, list), answers
        assert len(answers) == len(request.subjects)
        for subject, made in zip(request.subjects, answers, strict=True):
            answer = made.answer
            msgspec.json.decode(msgspec.json.encode(answer), type=RecommendationResponse)
            check_answer(server, request.options, subject, as_json(answer))


def check_answer(server: Server, wanted: Options, subject: str | tuple[str, ...], answer: dict) -> None:
    items = answer["items"]
    assert len(items) + answer["shortfall"] == wanted.k
    assert [item["rank"] for item in items] == list(range(1, len(items) + 1))
    ids = [item["item_id"] for item in items]
    assert len(set(ids)) == len(ids)
    seen = known_items(server, wanted, subject)
    assert answer["user"]["interactions"] == len(seen)
    if wanted.exclude_seen:
        assert not seen & set(ids)
    catalogue = server.parts.bundles.loaded.bundle.catalogue
    limits = wanted.filter or Filter()
    for record in catalogue.items([row_of(item_id) for item_id in ids]):
        if limits.min_price is not None:
            assert record.price is not None
            assert record.price >= limits.min_price - 1e-5
        if limits.max_price is not None:
            assert record.price is not None
            assert record.price <= limits.max_price + 1e-5
        assert not limits.categories or set(limits.categories) & set(record.categories)
        assert not limits.brands or record.brand in limits.brands
    own = [item["score"] for item in items if item["model_source"] != "popularity"]
    popular = [item["score"] for item in items[len(own) :]]
    assert own == sorted(own, reverse=True)
    assert popular == sorted(popular, reverse=True)
    assert answer["fallback_used"] == (bool(popular) and wanted.model != "popularity")
    assert (answer["fallback_reason"] is not None) == answer["fallback_used"]
    if answer["shortfall"] and wanted.filter is None:
        assert set(ids) >= {f"item{row}" for row in range(N_ITEMS)} - seen


def known_items(server: Server, wanted: Options, subject: str | tuple[str, ...]) -> set[str]:
    """Items of the catalogue that the user had to do with until then."""
    items = {f"item{row}" for row in range(N_ITEMS)}
    if not isinstance(subject, str):
        return items & set(subject)
    until = np.inf if wanted.as_of is None else wanted.as_of
    found = set()
    bundle = server.parts.bundles.loaded.bundle
    row = bundle.catalogue.user_rows([subject]).get(subject)
    if row is not None:
        times = bundle.histories.select([row]).timestamps.tolist()
        found = {f"item{item}" for item, at in zip(history_of(bundle, row), times, strict=True) if at <= until}
    assert server.parts.link is not None
    events_of_user = server.parts.link.store.events_of([subject], limit=10_000)[subject]
    return found | (items & {event.item_id for event in events_of_user if event.timestamp <= until})


def test_answers_keep_to_what_was_asked(server: Server) -> None:
    given(st.lists(events, max_size=5), requests)(
        settings(
            max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )(lambda new_events, asked: check(server, new_events, asked))
    )()


@pytest.mark.slow
def test_answers_keep_to_what_was_asked_at_length(server: Server) -> None:
    given(st.lists(events, max_size=5), requests)(
        settings(max_examples=3000, deadline=None, database=None, suppress_health_check=list(HealthCheck))(
            lambda new_events, asked: check(server, new_events, asked)
        )
    )()
