"""A client of the HTTP API: `pip install '.[examples]'`, then `streamlit run examples/streamlit_app.py`."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

import requests
import streamlit as st

TIMEOUT_S = 30
SHOWN = ["rank", "title", "why", "brand", "price", "score", "confidence", "predicted_rating", "sources", "item_id"]


def ask(method: str, path: str, **wanted: Any) -> Any:
    """What the server answers; where that is a problem document, or none at all, it is shown and the page ends."""
    headers = {"X-API-Key": key} if key else {}
    try:
        response = requests.request(method, server.rstrip("/") + path, headers=headers, timeout=TIMEOUT_S, **wanted)
        answer = response.json()
    except (requests.RequestException, ValueError) as error:
        st.error(f"{server} gave no answer that can be read: {error}")
        st.stop()
    if not response.ok:
        st.error(f"{response.status_code} {answer['title']}: {answer['detail']}")
        st.stop()
    return answer


def table(items: list[dict[str, Any]]) -> None:
    """Items of a list, with what the server says of each."""
    told = [
        {**item, "why": (item.get("why") or {}).get("text"), "sources": ", ".join(item["sources"])} for item in items
    ]
    st.dataframe([{name: item.get(name) for name in SHOWN} for item in told], hide_index=True)


def show_lists(answers: list[dict[str, Any]]) -> None:
    """A table for each user."""
    for answer in answers:
        st.subheader(answer["user_id"])
        if answer["fallback_used"]:
            st.info(f"Popular items: {answer['fallback_reason']}")
        table(answer["items"])


def show_profile(user_id: str) -> None:
    """What the user did, what that says of tastes, and sums."""
    profile = ask("GET", f"/users/{quote(user_id, safe='')}/profile")
    for name in "history", "favourite_brands", "favourite_categories":
        st.subheader(name.replace("_", " ").capitalize())
        st.dataframe(profile[name], hide_index=True)
    st.write({name: profile[name] for name in ("interactions", "spending", "totals")})


st.set_page_config("Recommendations", layout="wide")
st.title("Recommendations")
server = st.sidebar.text_input("Server", os.environ.get("RECSYS_SERVER", "http://127.0.0.1:8000"))
key = st.sidebar.text_input("API key", type="password")
k = st.sidebar.slider("Items in a list", 1, 100, 10)
user_ids = [line.strip() for line in st.text_area("Users, one a line").splitlines() if line.strip()]
if not user_ids:
    st.info("Name users above. Some that the server knows:")
    st.dataframe(ask("GET", "/users")["users"], hide_index=True)
    st.stop()
answers = ask("POST", "/recommendations", json={"user_ids": user_ids, "k": k, "explain": "cheap"})["results"]
lists, profile, similar = st.tabs(["Lists", "Profile", "Similar items"])
with lists:
    show_lists(answers)
with similar:
    items = {item["item_id"]: item["title"] for answer in answers for item in answer["items"]}
    item_id = st.selectbox("Item", list(items), format_func=lambda item: f"{items[item] or ''} ({item})")
    if item_id is not None:
        table(ask("GET", f"/items/{quote(item_id, safe='')}/similar", params={"k": k})["items"])
with profile:
    show_profile(st.selectbox("User", user_ids) or user_ids[0])
