"""Explanations over HTTP: what is answered of listed items, others, sessions and strangers, and what is refused."""

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundle import Bundle
from serve.histories.summary import FILTERED, UNKNOWN_ITEMS, UNKNOWN_USER
from tests.support.bundles import DAY, START
from tests.support.serving import COLD_USER, explain, get, history_of, refusal, rows_of

Answer = dict[str, Any]
SESSION = ["item21", "item198", "item71", "item1", "item59"]
SUM_ERROR = 1e-4  # of contributions, as it is promised, and of eleven numbers of six decimals


def session_list(client: TestClient, history: list[str], **wanted: object) -> list[Answer]:
    """The list of a session."""
    response = client.post("/recommendations", json={"history": history, **wanted})
    assert response.status_code == 200, response.text
    items: list[Answer] = response.json()["results"][0]["items"]
    return items


def refused(client: TestClient, status: int, **wanted: object) -> str:
    return refusal(client.post("/explanations", json={"user_id": "user1", "item_id": "item0", **wanted}), status)


@pytest.mark.parametrize("depth", ["cheap", "full"])
@pytest.mark.parametrize(
    "options",
    [{}, {"k": 3}, {"model": "transitions"}, {"model": "popularity"}, {"exclude_seen": False}, {"max_price": 25}],
)
def test_a_listed_item_is_where_the_list_has_it(client: TestClient, options: Answer, depth: str) -> None:
    listed = get(client, "user1", **options)
    for item in (listed["items"][0], listed["items"][-1]):
        answer = explain(client, item["item_id"], depth=depth, **options)
        assert answer["item"] == {name: item[name] for name in ("item_id", "title", "brand", "price")}
        filled = item["model_source"] != ("ranker" if answer["model"] == "full" else answer["model"])
        assert (answer["stage"], answer["rank"]) == ("filled" if filled else "listed", item["rank"])
        assert answer["score"] == pytest.approx(item["score"], abs=2e-6)
        assert answer["confidence"] == item["confidence"]
        assert (answer["user"], answer["bundle"]) == (listed["user"], listed["bundle"])
        assert (answer["k"], answer["model"]) == (options.get("k", 10), options.get("model", "full"))
        assert (answer["depth"], answer["store"], answer["as_of"]) == (depth, "live", None)
        assert answer["fallback_used"] is filled


def test_contributions_add_up_to_the_difference_of_two_scores(client: TestClient) -> None:
    listed = get(client, "user1")["items"]
    for item in listed:
        answer = explain(client, item["item_id"], depth="cheap")
        reference = answer["reference"]
        total = sum(part["value"] for part in answer["contributions"])
        assert total == pytest.approx(answer["score"] - reference["score"], abs=SUM_ERROR)
        assert answer["contributions_of"] == "score"
        assert answer["contributions_exact"] is True
        assert answer["additivity_error"] <= SUM_ERROR
        values = [abs(part["value"]) for part in answer["contributions"]]
        assert values == sorted(values, reverse=True)
    first_behind = explain(client, reference["item_id"])
    assert (first_behind["stage"], first_behind["rank"]) == ("ranked", len(listed) + 1)
    assert first_behind["reference"]["item_id"] == listed[-1]["item_id"], "of an item behind it the last one in it"


@pytest.mark.parametrize("model", ["full", "transitions"])
def test_contributions_of_an_item_that_nothing_is_compared_with_add_up_too(client: TestClient, model: str) -> None:
    (first, *_) = get(client, "user1", model=model)["items"]
    only = {"min_price": first["price"], "max_price": first["price"], "model": model}
    answer = explain(client, first["item_id"], **only)
    assert (answer["stage"], answer["reference"]) == ("listed", None)
    total = sum(part["value"] for part in answer["contributions"])
    assert total == pytest.approx(answer["score"] - answer["reference_score"], abs=SUM_ERROR)


def test_what_gives_little_is_told_from_what_gives_nothing(client: TestClient) -> None:
    """Items far back in a history give a source that forgets fast almost nothing, and more than that."""
    history, only = [f"item{row}" for row in range(1, 61)], {"model": "content_encoder", "exclude_seen": False}
    strengths = [
        fact["strength"]
        for row in range(0, 60, 6)
        for fact in explain(client, f"item{row}", user_id=None, history=history, **only)["facts"]
        if fact["kind"] == "similar_text" and fact["polarity"] == "for"
    ]
    assert 0 < min(strengths) < 1e-6


def test_the_reference_can_be_chosen(client: TestClient) -> None:
    first, second = get(client, "user1")["items"][:2]
    answer = explain(client, first["item_id"], reference=second["item_id"])
    assert answer["reference"]["item_id"] == second["item_id"]
    total = sum(part["value"] for part in answer["contributions"])
    assert total == pytest.approx(first["score"] - second["score"], abs=SUM_ERROR)


def test_ranks_without_an_item_of_a_session_are_those_of_a_session_without_it(client: TestClient) -> None:
    for item in session_list(client, SESSION)[:3]:
        answer = explain(client, item["item_id"], user_id=None, history=SESSION)
        assert {reason["item_id"] for reason in answer["history"]} == set(SESSION)
        assert all(reason["tried"] and reason["times"] == 1 for reason in answer["history"])
        for reason in answer["history"]:
            rest = [item_id for item_id in SESSION if item_id != reason["item_id"]]
            anew = explain(client, item["item_id"], user_id=None, history=rest, depth="cheap")
            # Of an item that fills a list up the rank is that in the list, and it is not ranked.
            rank, score = (None, None) if anew["stage"] == "filled" else (anew["rank"], anew["score"])
            assert (reason["rank_without"], reason["score_without"]) == (rank, pytest.approx(score, abs=2e-6))


def test_without_what_the_counterfactual_names_the_item_leaves_the_list(client: TestClient) -> None:
    found = 0
    before = session_list(client, SESSION, k=5)
    for item in before:
        answer = explain(client, item["item_id"], user_id=None, history=SESSION, k=5)["counterfactual"]
        without = {named["item_id"] for named in answer["without"]}
        if not without:
            continue
        found += 1
        after = session_list(client, [item_id for item_id in SESSION if item_id not in without], k=5)
        assert item["item_id"] not in {other["item_id"] for other in after}
        assert answer["replacement"]["item_id"] in {other["item_id"] for other in after}
        assert answer["replacement"]["item_id"] not in {other["item_id"] for other in before}
    assert found, "no item of the list has a counterfactual: this tests nothing"


def test_shares_of_the_history_and_the_rest_make_the_sources_scores(client: TestClient) -> None:
    item = get(client, "user1")["items"][0]["item_id"]
    answer = explain(client, item, depth="cheap")
    weighted = 0.0
    for source in answer["sources"]:
        shares = sum(reason["shares"].get(source["source"], 0.0) for reason in answer["history"])
        assert shares + source["rest"] == pytest.approx(source["score"], abs=1e-4)
        weighted += source["weight"] * source["score"]
    assert weighted == pytest.approx(answer["source_sum"], abs=1e-3)
    for reason in answer["history"]:
        weights = {source["source"]: source["weight"] for source in answer["sources"]}
        total = sum(weights[name] * share for name, share in reason["shares"].items())
        assert reason["total"] == pytest.approx(total, abs=1e-4)
        assert reason["action"] == "rating"
        assert not reason["tried"]
        assert reason["rank_without"] is None


def test_semantic_similarity_is_a_cosine_of_text_parts(client: TestClient, bundle: Bundle) -> None:
    """The tower of the test's bundle takes the mean; the second half of a vector is its text part."""
    embeddings = bundle.item_embeddings.astype(np.float64)
    texts = embeddings[:, embeddings.shape[1] // 2 :]
    history = [int(item_id.removeprefix("item")) for item_id in SESSION]
    user = texts[history].mean(axis=0)
    for row in (3, 11, 198):
        expected = user @ texts[row] / np.linalg.norm(user) / np.linalg.norm(texts[row])
        answer = explain(client, f"item{row}", user_id=None, history=SESSION, depth="cheap")
        assert answer["semantic_similarity"] == pytest.approx(expected, abs=1e-5)
    assert explain(client, "item3", user_id="nobody")["semantic_similarity"] is None


def test_facts_are_cited_by_the_text_and_told_as_factors(client: TestClient) -> None:
    item = get(client, "user1")["items"][0]["item_id"]
    for style in ("sentence", "paragraph"):
        answer = explain(client, item, style=style)
        facts = {fact["id"]: fact for fact in answer["facts"]}
        strengths = [fact["strength"] for fact in answer["facts"]]
        assert strengths == sorted(strengths, reverse=True)
        assert answer["cites"]
        for cited in answer["cites"]:
            assert (facts[cited]["polarity"], facts[cited]["strength"] > 0) == ("for", True)
            assert str(facts[cited]["value"]) in answer["text"] or facts[cited]["unit"] in ("rank", "rating", "percent")
        assert answer["reasoning_factors"] == [fact["text"] for fact in answer["facts"] if fact["strength"] > 0]
        assert (answer["style"], answer["text_source"], answer["guard"]["state"]) == (style, "rule", "not_asked")
    history = {f"item{row}" for row in history_rows(client, answer)}
    for fact in answer["facts"]:
        if fact["history_item"] is not None:
            assert fact["history_item"]["item_id"] in history
            assert fact["personal"] is True


def history_rows(client: TestClient, answer: Answer) -> list[int]:
    profile = client.get(f"/users/{answer['user_id']}/profile").json()
    return rows_of(profile["history"])


def test_a_seen_item_is_forbidden_by_that_rule(client: TestClient, bundle: Bundle) -> None:
    seen = f"item{history_of(bundle, 1)[0]}"
    answer = explain(client, seen)
    assert (answer["stage"], answer["rank"], answer["score"], answer["confidence"]) == ("forbidden", None, None, None)
    assert answer["rules"] == [{"name": "seen", "allows": False}]
    assert answer["counterfactual"] is None
    assert "history" in answer["text"]
    assert explain(client, seen, exclude_seen=False)["rules"] == []
    assert explain(client, seen, exclude_seen="purchases")["rules"] == [{"name": "bought", "allows": False}]


@pytest.mark.parametrize(
    ("options", "name", "german"),
    [
        ({"max_price": 0.01}, "price", "der Preis"),
        ({"min_price": 1e6}, "price", "der Preis"),
        ({"category": "Group 2"}, "category", "die Kategorie"),
        ({"brand": "Brand 2"}, "brand", "die Marke"),
    ],
)
def test_filters_are_named_by_what_they_forbid(client: TestClient, options: Answer, name: str, german: str) -> None:
    answer = explain(client, "item101", **options)
    assert answer["stage"] == "forbidden"
    assert answer["rules"] == [{"name": "seen", "allows": True}, {"name": name, "allows": False}]
    assert answer["text"].endswith(f": the {name}.")
    assert explain(client, "item101", **options, language="de")["text"].endswith(f": {german}.")


def test_why_not(client: TestClient) -> None:
    """Each item of the catalogue is somewhere on the way, and says where."""
    listed = {item["item_id"]: item for item in get(client, "user1")["items"]}
    stages: dict[str, list[Answer]] = {}
    for row in range(0, 200, 3):
        answer = explain(client, f"item{row}", depth="cheap")
        assert (answer["stage"] == "listed") is (f"item{row}" in listed)
        assert answer["text"]
        stages.setdefault(answer["stage"], []).append(answer)
    assert stages.keys() >= {"listed", "ranked", "unproposed", "forbidden"}
    for answer in stages["ranked"]:
        assert answer["rank"] > 10
        assert answer["score"] <= min(item["score"] for item in listed.values())
        assert str(answer["rank"]) in answer["text"]
    for answer in stages.get("candidate", []):
        assert answer["source_sum"] <= answer["gate"]
        assert answer["contributions_of"] == "source_sum"
        assert answer["score"] is None
    for answer in stages["unproposed"]:
        assert not any(source["proposed"] for source in answer["sources"])
        assert (answer["contributions"], answer["contributions_of"], answer["additivity_error"]) == (None, None, None)


@pytest.mark.parametrize("depth", ["cheap", "full"])
def test_popular_items_claim_no_personal_reason(client: TestClient, depth: str) -> None:
    for user, reason in (("nobody", UNKNOWN_USER), (COLD_USER, None)):
        listed = get(client, user)
        for item in listed["items"][:2]:
            answer = explain(client, item["item_id"], user_id=user, depth=depth)
            assert (answer["stage"], answer["rank"], answer["history"]) == ("filled", item["rank"], [])
            assert answer["score"] == pytest.approx(item["score"])
            assert answer["confidence"] == item["confidence"]
            assert (answer["fallback_used"], answer["fallback_reason"]) == (True, listed["fallback_reason"])
            assert reason in (None, answer["fallback_reason"])
            assert [fact["kind"] for fact in answer["facts"]] == ["popularity"]
            assert answer["facts"][0]["personal"] is False
            assert "popular" in answer["text"].lower()
            assert "you" not in answer["text"].lower()
            assert answer["contributions"] is None
            assert answer["user"]["known"] is listed["user"]["known"]


def test_items_that_fill_a_list_up_say_so(client: TestClient) -> None:
    options = {"model": "transitions", "category": "Group 3", "k": 12}
    listed = get(client, "user1", **options)
    assert 0 < sum(item["model_source"] == "transitions" for item in listed["items"]) < 12
    answer = explain(client, listed["items"][-1]["item_id"], **options)
    assert (answer["stage"], answer["fallback_reason"]) == ("filled", FILTERED)
    assert {fact["kind"] for fact in answer["facts"]} == {"popularity", "rule"}


def test_a_session_of_unknown_items(client: TestClient) -> None:
    popular = client.get("/items/popular?k=1").json()["items"][0]["item_id"]
    answer = explain(client, popular, user_id=None, history=["nix", "nada"])
    assert (answer["user_id"], answer["user"]["known"]) == (None, False)
    assert answer["user"]["interactions"] == 0
    assert (answer["stage"], answer["fallback_reason"]) == ("filled", UNKNOWN_ITEMS)


def test_nobody_knows_what_was_done_with_the_items_of_a_session(client: TestClient) -> None:
    item = session_list(client, SESSION)[0]["item_id"]
    answer = explain(client, item, user_id=None, history=SESSION)
    assert {reason["action"] for reason in answer["history"]} == {None}
    assert "bought" not in answer["text"]
    assert "rated" not in answer["text"]


def test_as_of_a_past_time_later_items_give_no_reason(client: TestClient, bundle: Bundle) -> None:
    history = bundle.histories.select([1])
    until = int(history.timestamps[4])
    answer = explain(client, "item101", as_of=until, depth="cheap")
    assert {reason["item_id"] for reason in answer["history"]} == {f"item{row}" for row in history.items[:5]}
    assert answer["as_of"] == answer["user"]["last_interaction_at"]
    listed = get(client, "user1", as_of=until)["items"]
    placed = {item["item_id"]: item["rank"] for item in listed}
    assert (answer["rank"] if answer["stage"] == "listed" else None) == placed.get("item101")
    assert explain(client, "item101", as_of=START - DAY)["user"]["interactions"] == 0


def test_items_of_nobody_are_borrowed_for(client: TestClient) -> None:
    answer = explain(client, "item101", depth="cheap")
    lent = {one["source"]: sum(lender["score"] for lender in one["lenders"]) for one in answer["borrowed"]}
    scores = {source["source"]: source["score"] for source in answer["sources"]}
    assert lent == {name: pytest.approx(scores[name], rel=1e-3) for name in ("neighbours_bm25", "transitions")}
    assert not {fact["kind"] for fact in answer["facts"]} & {"next_purchase", "co_purchase"}


@pytest.mark.parametrize(
    ("status", "wanted", "detail"),
    [
        (404, {"item_id": "nix"}, "the catalogue holds no item 'nix'"),
        (404, {"item_id": "'; DROP TABLE items; --"}, "holds no item"),
        (422, {"reference": "nix"}, "reference: the catalogue holds no item 'nix'"),
        (422, {"item_id": "item101", "reference": "item0"}, "reference"),
        (422, {"item_id": "item101", "reference": "item101"}, "reference"),
        (422, {"model": "nix"}, "model: expected one of full,"),
        (422, {"k": 0}, "k: Input should be greater"),
        (422, {"k": 101}, "k: Input should be less"),
        (422, {"depth": "deep"}, "depth: Input should be 'cheap' or 'full'"),
        (422, {"style": "poem"}, "style"),
        (422, {"language": "xx"}, "language: expected de or en"),
        (422, {"language": "fr_CH"}, "language: expected de or en"),
        (422, {"language": "e n"}, "language"),
        (422, {"history": ["item1"]}, "give either user_id or history"),
        (422, {"user_id": None}, "user_id"),
        (422, {"user_id": ""}, "user_id"),
        (422, {"item_id": ""}, "item_id"),
        (422, {"item_id": 7}, "item_id"),
        (422, {"min_price": 2, "max_price": 1}, "min_price must not exceed max_price"),
        (422, {"as_of": "yesterday"}, "as_of"),
        (422, {"explain": "cheap"}, "explain: Extra inputs"),
        (422, {"sensitive": "yes"}, "sensitive"),
    ],
)
def test_what_cannot_be_explained(client: TestClient, status: int, wanted: Answer, detail: str) -> None:
    assert detail in refused(client, status, **wanted)


def test_what_is_no_question(client: TestClient) -> None:
    assert "Field required" in refusal(client.post("/explanations", json={"user_id": "user1"}), 422)
    assert "either user_id or history" in refusal(client.post("/explanations", json={"item_id": "item1"}), 422)
    assert "no query parameters" in refusal(client.post("/explanations?k=3", json={}), 422)
    json_type = {"Content-Type": "application/json"}
    assert client.post("/explanations", content=b"\xff", headers=json_type).status_code == 400
    assert client.get("/explanations").status_code == 405


def test_numbers_are_written_as_the_language_has_them(client: TestClient) -> None:
    for language in ("en", "en_GB", "en-IN"):
        assert explain(client, "item101", language=language)["language"] == language.replace("-", "_")


OPTIONS = st.fixed_dictionaries(
    {"k": st.integers(1, 30)},
    optional={
        "model": st.sampled_from(
            ["two_tower", "transitions", "content_encoder", "bpr", "blend", "hybrid", "popularity"]
        ),
        "exclude_seen": st.sampled_from([True, False, "purchases"]),
        "as_of": st.integers(START, START + 400 * DAY),
        "max_price": st.sampled_from([5.0, 20.0, 60.0]),
        "category": st.sampled_from(["Group 1", "Group 7", "All", "nix"]),
    },
)
SUBJECTS = st.one_of(
    st.integers(0, 55).map(lambda row: {"user_id": f"user{row}"}),
    st.lists(st.integers(0, 210).map(lambda row: f"item{row}"), min_size=1, max_size=6).map(
        lambda ids: {"history": ids}
    ),
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SUBJECTS, st.integers(0, 199), OPTIONS, st.sampled_from(["cheap", "full"]), st.booleans())
def test_whatever_is_asked_the_answer_agrees_with_the_list(
    client: TestClient, subject: Answer, row: int, options: Answer, depth: str, first: bool
) -> None:
    users = {"user_ids": [subject["user_id"]]} if "user_id" in subject else subject
    (listed,) = client.post("/recommendations", json={**users, **options}).json()["results"]
    places = {item["item_id"]: item for item in listed["items"]}
    item_id = listed["items"][0]["item_id"] if first and listed["items"] else f"item{row}"
    body = {**subject, **options, "item_id": item_id, "depth": depth}
    response = client.post("/explanations", json=body)
    assert response.status_code == 200, response.text
    answer = json.loads(response.text, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert (answer["stage"] in ("listed", "filled")) is (item_id in places)
    if item := places.get(item_id):
        assert answer["rank"] == item["rank"]
        assert answer["score"] == pytest.approx(item["score"], abs=2e-6)
        assert answer["confidence"] == item["confidence"]
        assert (answer["stage"] == "filled") is (item["model_source"] == "popularity" != answer["model"])
    if answer["contributions"] is not None:
        of = answer["score"] if answer["contributions_of"] == "score" else answer["source_sum"]
        total = sum(part["value"] for part in answer["contributions"])
        assert total == pytest.approx(of - answer["reference_score"], abs=SUM_ERROR)
        assert answer["reference"] is None or answer["reference"]["score"] == answer["reference_score"]
    assert answer["text"]
    assert {reason["item_id"] for reason in answer["history"]} <= {f"item{n}" for n in range(200)}
    if "history" in subject:  # which was looked at now, in either answer
        del answer["user"]["last_interaction_at"], listed["user"]["last_interaction_at"]
    assert answer["user"] == listed["user"]
