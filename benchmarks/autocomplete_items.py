"""How long a search of a large catalogue takes: what somebody types, letter by letter, and tables sorted and filtered.

    python benchmarks/autocomplete_items.py STORE --items 500000

Puts a generated catalogue into a store (a file, or the URL of a database), unless one of so many items is there, and
asks for pages of 20 items with their totals, as `GET /items` does, and for names as `GET /catalogue/brands` does. Words
are as frequent as in a language, so that one letter begins a word of nearly every item. The floor, in the same rounds,
is the plainest statement that a page can take: 20 items along the index of their places.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # replaces the script's own folder, where serve.py hides the package `serve`
    sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
import sqlalchemy as sa  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import track  # noqa: E402
from rich.table import Table  # noqa: E402

from recsys.core.types import Int32Array  # noqa: E402
from recsys.store import ItemRow, ItemSearch, Store  # noqa: E402
from recsys.store.database import Database  # noqa: E402
from serve.bundles.names import Names  # noqa: E402

WORDS, BRANDS, CATEGORIES = 20_000, 5_000, 400
WORDS_OF_TITLE, AT_ONCE, PAGE = 8, 10_000, 20
LETTERS = "etaoinshrdlcumwfgypbvkjxqz"
FREQUENCIES = (127, 91, 82, 75, 70, 67, 63, 61, 60, 43, 40, 28, 28, 24, 24, 22, 20, 20, 19, 15, 10, 8, 2, 2, 1, 1)
TIMEOUT_S = 60.0
TYPED = ("e", "t", "z", "th", "tha", "e t", "e t a")
Call = Callable[[], object]


def make_words(random: np.random.Generator) -> list[str]:
    """Words of 3 to 9 letters, each as frequent as in English."""
    shares = np.array(FREQUENCIES) / sum(FREQUENCIES)
    return ["".join(random.choice(list(LETTERS), int(random.integers(3, 10)), p=shares)) for _ in range(WORDS)]


def make_items(count: int, words: Sequence[str]) -> Iterator[ItemRow]:
    """Items of a shop: few words and brands are frequent, prices spread over four digits, a tenth has none."""
    random = np.random.default_rng(1)
    word_shares, brand_shares = (1 / np.arange(1, n + 1) ** power for n, power in ((WORDS, 0.9), (BRANDS, 1.0)))
    for start in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - start)
        titles = random.choice(WORDS, (size, WORDS_OF_TITLE), p=word_shares / word_shares.sum())
        brands = random.choice(BRANDS, size, p=brand_shares / brand_shares.sum())
        prices = np.where(random.random(size) < 0.1, np.nan, random.lognormal(3, 1, size).round(2))
        groups = random.integers(CATEGORIES, size=size)
        for row in range(size):
            yield ItemRow(
                f"B{start + row:09d}",
                " ".join(words[word] for word in titles[row]).capitalize(),
                words[-1 - brands[row]].title(),
                ("All", f"Part {groups[row] // 20}", f"Group {groups[row]}"),
                None if np.isnan(prices[row]) else float(prices[row]),
            )


def open_filled(url: str, count: int, words: Sequence[str], console: Console) -> Store:
    """A store with so many items."""
    store = Store.open(url, timeout_s=TIMEOUT_S)
    store.upgrade()
    started, cpu = time.perf_counter(), time.process_time()
    if store.items_version() != str(count):
        store.put_items(make_items(count, words), str(count))
        spent = time.perf_counter() - started, time.process_time() - cpu
        console.print(f"{count:,} items were put in {spent[0]:.0f} s, {spent[1]:.0f} s of them CPU")
    return store


def searches_of(words: Sequence[str]) -> dict[str, ItemSearch]:
    """Searches by what they show."""
    frequent, middle, rare, brand = words[0], words[500], words[15_000], words[-1].title()
    typed = {
        f"typed: {text}": ItemSearch(text) for text in ("e", "t", "z", "th", "tha", frequent, rare, "e t", "e t a")
    }
    sorted_by = {f"all, by {sort}": ItemSearch(sort=sort) for sort in ("popularity", "-price", "title", "-title")}
    of_words = {
        f"{name} word, by {sort}": ItemSearch(word, sort=sort)
        for name, word in (("one letter of a", "e"), ("frequent", frequent), ("middling", middle), ("rare", rare))
        for sort in ("price", "title")
    }
    return {
        **typed,
        **sorted_by,
        **of_words,
        "category, by price": ItemSearch(category="Group 7", sort="price"),
        "largest brand, by -price": ItemSearch(brand=brand, sort="-price"),
        "from 1,000 on, by popularity": ItemSearch(min_price=1_000.0),
        "5 to 50, by title": ItemSearch(min_price=5.0, max_price=50.0, sort="title"),
        "word, brand, 5 to 50, by price": ItemSearch(frequent, "All", brand, 5.0, 50.0, "price"),
        "word, category, by title": ItemSearch(middle, "Part 3", sort="title"),
    }


def next_pages(store: Store, searches: dict[str, ItemSearch]) -> dict[str, Call]:
    """The second page of some searches."""
    chosen = ("typed: e", "all, by -price", "frequent word, by title")
    cursors = {name: store.search_items(searches[name], None, PAGE).next_cursor for name in chosen}
    return {
        f"next page of {name}": lambda name=name, cursor=cursor: store.search_items(searches[name], cursor, PAGE)
        for name, cursor in cursors.items()
    }


def make_names(words: Sequence[str], count: int) -> Names:
    """Names of two words each, of few items each."""
    rows: Int32Array = np.zeros(3, np.int32)
    return Names({f"{words[n % WORDS]} {words[n * 7 % WORDS]}".title() + f" {n}": rows for n in range(count)})


def measure(calls: dict[str, Call], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of each call in each round, and of them CPU of this process; what disturbs one disturbs all."""
    spent: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in track(range(rounds), "Rounds", transient=True):
        for name, call in calls.items():
            started, cpu = time.perf_counter(), time.thread_time()
            call()
            spent[name].append(((time.perf_counter() - started) * 1e3, (time.thread_time() - cpu) * 1e3))
    return spent


def floor_of(store: Store) -> Call:
    """A page along one index, and nothing else."""
    database: Database = store._database
    page = sa.text(
        "SELECT * FROM items WHERE catalogue = (SELECT max(catalogue) FROM catalogues) ORDER BY position LIMIT 21"
    )

    def read() -> object:
        with database.read() as connection:
            return connection.execute(page).all()

    return read


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", help="as the server's setting store; its items are replaced")
    parser.add_argument("--items", type=int, default=500_000)
    parser.add_argument("--brands", type=int, default=100_000, help="names among which some are found")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    console = Console(width=100)
    words = make_words(np.random.default_rng(0))
    with open_filled(options.store, options.items, words, console) as store:
        searches, names = searches_of(words), make_names(words, options.brands)
        calls: dict[str, Call] = {"floor": floor_of(store)}
        calls |= {name: lambda one=one: store.search_items(one, None, PAGE) for name, one in searches.items()}
        calls |= next_pages(store, searches)
        calls |= {f"brands: {text or 'all'}": lambda text=text: names.find(text) for text in ("", "e", "th", "tha x")}
        spent = measure(calls, options.rounds)
        totals = {name: store.search_items(one, None, PAGE) for name, one in searches.items()}
    table = Table(
        "call", "p50 ms", "p95 ms", "CPU p50 ms", "total", title=f"{options.items:,} items, {options.rounds} rounds"
    )
    for name, times in spent.items():
        found = totals.get(name)
        total = "" if found is None else f"{found.total:,}{'' if found.total_exact else '+'}"
        (median, median_cpu), (high, _) = np.percentile(times, (50, 95), axis=0)
        table.add_row(name, *(f"{value:.2f}" for value in (median, high, median_cpu)), total)
    console.print(table)


if __name__ == "__main__":
    main()
