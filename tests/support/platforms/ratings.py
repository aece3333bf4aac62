"""Ratings without types of events: MovieLens, and Amazon's files of ratings alone."""

from __future__ import annotations

from tests.support.platforms.platform import ITEMS, USERS, Platform, item, seconds, table, user

MOVIELENS = Platform(
    name="movielens",
    files={
        "ratings.csv": table(
            "userId,movieId,rating,timestamp",
            [[1 + user(k), 1 + item(k), 0.5 + k % 10 / 2, seconds(k)] for k in range(60)],
        ),
        "movies.csv": table(
            "movieId,title,genres",
            [[1 + n, f"Toy Story, Part {n} (1995)", "Adventure|Animation|Children"] for n in range(ITEMS)],
        ),
        "tags.csv": table(
            "userId,movieId,tag,timestamp", [[1 + user(k), 1 + item(k), "fun", seconds(k)] for k in (1, 2)]
        ),
    },
    types={"rating": 60},
    users=USERS,
    items=ITEMS,
    facts={"3": {"title": "Toy Story, Part 2 (1995)", "categories": ["Adventure", "Animation", "Children"]}},
)


def _reviewer(k: int) -> str:
    return f"A{user(k) + 1:012}Z"


def _asin(k: int) -> str:
    return f"B000{item(k):05}X"


AMAZON_2014 = Platform(
    name="amazon_ratings_2014",
    files={
        "ratings_Software.csv": table("", [[_reviewer(k), _asin(k), float(1 + k % 5), seconds(k)] for k in range(60)])
    },
    types={"rating": 60},
    users=USERS,
    items=ITEMS,
)
AMAZON_2018 = Platform(
    name="amazon_ratings_2018",
    files={
        "Software.csv": table("", [[_asin(k), _reviewer(k), float(1 + k % 5), seconds(k)] for k in range(60)]),
    },
    types={"rating": 60},
    users=USERS,
    items=ITEMS,
)
AMAZON_2023 = Platform(
    name="amazon_ratings_2023",
    files={
        "Software.csv": table(
            "user_id,parent_asin,rating,timestamp",
            [[f"AE{user(k):026}", _asin(k), float(1 + k % 5), seconds(k) * 1000 + 321] for k in range(60)],
        ),
    },
    types={"rating": 60},
    users=USERS,
    items=ITEMS,
)
