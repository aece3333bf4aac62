"""How often a caller may ask, counted by all workers together, and said in every answer."""

import multiprocessing
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve import buckets as buckets_module
from serve.buckets import SETS, WAYS, Buckets
from serve.http.rate_limit import caller, policy
from serve.shared import Shared
from tests.support.bucket_workers import take_many
from tests.support.serving import refusal, running

USER = "/recommendations/user3"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(buckets_module, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: None))
    return now


@pytest.fixture
def few() -> Iterator[Buckets]:
    """Two a second, three at once."""
    made = Buckets(2.0, 3)
    yield made
    made.close()


def test_a_rate_with_its_burst(few: Buckets, clock: list[float]) -> None:
    assert [few.take("a") for _ in range(3)] == [(0, 2, 0.5), (0, 1, 1.0), (0, 0, 1.5)]
    assert few.take("a") == pytest.approx((0.5, 0, 1.5))  # half a second until the next token
    assert few.take("b").wait_s == 0
    clock[0] += 0.5
    assert few.take("a").wait_s == 0
    assert few.take("a").wait_s == pytest.approx(0.5)
    clock[0] += 100
    assert [few.take("a").wait_s > 0 for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 60, 601])
def test_no_minute_has_more_than_its_budget(most: int, clock: list[float]) -> None:
    """Asked twice as often as would be allowed for ten minutes; any minute, and all of what is allowed is used."""
    made = buckets_module.per_minute(most)
    taken, step = [], 30.0 / most
    for _ in range(20 * most):
        if made.take("a").wait_s == 0:
            taken.append(clock[0])
        clock[0] += step
    made.close()
    for start in taken:
        assert sum(start <= at < start + 60.0 - 1e-6 for at in taken) <= most
    assert len(taken) >= 10 * most // 2


@given(
    rate=st.floats(0.01, 1000),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 10), max_size=60),
)
def test_it_is_a_bucket_of_tokens(rate: float, burst: int, pauses: list[float]) -> None:
    """The oracle counts tokens, as the name says."""
    now = 1000.0
    tokens, since = float(burst), now
    made = Buckets(rate, burst)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets_module, "time", SimpleNamespace(monotonic=lambda: now))
        for pause in pauses:
            now += pause / rate
            tokens, since = min(burst, tokens + (now - since) * rate), now
            taken = made.take("a")
            if abs(tokens - round(tokens)) < 1e-3:  # a token that is nearly whole: rounding decides
                tokens -= not taken.wait_s
                continue
            assert (taken.wait_s == 0) == (tokens >= 1)
            if tokens >= 1:
                tokens -= 1
                assert taken.left == int(tokens)
            else:
                assert taken.wait_s == pytest.approx((1 - tokens) / rate, abs=1e-5 / rate)
            assert taken.full_s == pytest.approx((burst - tokens) / rate, abs=1e-5 / rate)
    made.close()


def test_others_are_forgotten_for_none_that_has_not_asked_lately(few: Buckets, clock: list[float]) -> None:
    for _ in range(3):
        few.take("victim")
    for number in range(SETS * WAYS // 8):
        few.take(f"other{number}")
    assert few.take("victim").wait_s > 0, "the buckets of others have places of their own"
    clock[0] += 3600
    for number in range(3 * SETS * WAYS):
        few.take(f"more{number}")  # far more than there are places
    assert few.take("victim").wait_s == 0


def test_workers_count_together() -> None:
    shared = Shared(None, Buckets(1e-9, 1000))
    context = multiprocessing.get_context("spawn")
    taken = context.Queue()
    workers = [context.Process(target=take_many, args=(shared, 700, taken)) for _ in range(3)]
    for worker in workers:
        worker.start()
    counts = [taken.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sum(counts) == 1000, counts
    assert shared.buckets is not None
    assert shared.buckets.take("a").wait_s > 0


def test_every_answer_says_what_is_left(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none", rate_limit=0.001, rate_burst=2) as (client, _):
        answers = [client.get(path) for path in (USER, "/nowhere", USER, USER)]
        assert [answer.status_code for answer in answers] == [200, 404, 429, 429]
        assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"default";q=2;w=2000'] * 4
        told = [re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["ratelimit"]) for answer in answers]
        assert [match and int(match.group(1)) for match in told] == [1, 0, 0, 0]
        assert [match and int(match.group(2)) for match in told] == [1000, 2000, 2000, 2000]
        assert "more than 0.001 requests a second" in refusal(answers[3], 429)
        assert 900 < int(answers[3].headers["retry-after"]) <= 1000
        for path in ("/health", "/ready", "/metrics"):
            unlimited = client.get(path)
            assert unlimited.status_code == 200
            assert "ratelimit" not in unlimited.headers
        assert 'recsys_refused_total{cause="rate"} 2.0' in client.get("/metrics").text


def test_without_a_limit_nothing_is_said(bundle_path: Path) -> None:
    with running(bundle=bundle_path, store="none") as (client, _):
        assert "ratelimit" not in client.get(USER).headers


@pytest.mark.parametrize(
    ("rate", "burst", "said"),
    [
        (2.0, 20, "q=20;w=10"),
        (0.001, 2, "q=2;w=2000"),
        (50.0, 20, "q=50;w=1"),
        (3.0, 20, "q=21;w=7"),
        (0.3, 1, "q=1;w=4"),
    ],
)
def test_the_policy(rate: float, burst: int, said: str) -> None:
    assert policy(rate, burst) == f'"default";{said}'


def test_who_shares_a_bucket() -> None:
    def named(address: str | None, **more: str) -> str:
        return caller({"client": None if address is None else (address, 1), **more})

    assert named("2001:db8:1:2::3") == named("2001:db8:1:2:ffff::9"), "one network has one bucket"
    assert named("2001:db8:1:2::3") != named("2001:db8:1:3::3")
    assert named("::ffff:10.0.0.1") == named("10.0.0.1") != named("10.0.0.2")
    assert named("10.0.0.1", key_name="shop") == named("10.0.0.2", key_name="shop")
    assert named("10.0.0.1") != named(None, key_name="10.0.0.1"), "a key may be called as an address is"
    assert named(None)
