"""Compiled loops: what the items of a pool are worth, with all score changes; see docs/rules.md for the formulae."""

from __future__ import annotations

import math

import numpy as np

from recsys.core.compiled import compiled, compiled_in_place
from recsys.core.types import BoolArray, Float32Array, Float64Array, Int32Array
from recsys.rules.arranging.room import NOTHING, Acting, Pool
from recsys.rules.arranging.table import BOOST, BURY, RuleTable
from recsys.rules.rule import MAX_BOOST


@compiled
def write_members(items: Int32Array, query: int, count: int, rules: RuleTable, pool: Pool) -> None:
    """Write which rules act on each of the first `count` items of the query, and the items' groups."""
    bits, groups, members, changed, codes = rules.members, rules.groups, pool.members, pool.changed, pool.codes
    for column in range(count):
        item = items[query, column]
        for rule in range(len(rules.kinds)):
            members[rule, column] = (bits[item, rule >> 3] >> (rule & 7) & 1) != 0
            changed[rule, column] = False
        for grouping in range(groups.shape[1]):
            codes[grouping, column] = groups[item, grouping]


@compiled
def write_utilities(scores: Float32Array, popular: BoolArray, query: int, count: int, utilities: Float64Array) -> None:
    """Write how many standard deviations each ranked item lies above their mean; popular ones stand below them."""
    ranked, total = 0, 0.0
    least, most = np.inf, -np.inf
    for column in range(count):
        if not popular[query, column]:
            score = np.float64(scores[query, column])
            ranked += 1
            total += score
            least, most = min(least, score), max(most, score)
    mean, squares = total / max(ranked, 1), 0.0
    for column in range(count):
        if not popular[query, column]:
            squares += (scores[query, column] - mean) ** 2
    deviation = math.sqrt(squares / max(ranked, 1))
    unit = deviation if most > least and deviation > 0 else 1.0
    lowest = (least - mean) / unit if most > least else 0.0
    place = 0
    for column in range(count):
        if popular[query, column]:
            place += 1
            utilities[column] = lowest - place / (count - ranked)
        else:
            utilities[column] = (scores[query, column] - mean) / unit if most > least else 0.0


@compiled
def change_scores(
    items: Int32Array,
    query: int,
    count: int,
    prices: Float32Array,
    mean_price: float,
    active: BoolArray,
    rules: RuleTable,
    acting: Acting,
    pool: Pool,
) -> None:
    """Add all score changes to the utilities, and write what is buried and what each rule changed."""
    for column in range(count):
        boost = 0.0
        pool.buried[column] = False
        for rule in range(len(rules.kinds)):
            if active[query, rule] and pool.members[rule, column]:
                if rules.kinds[rule] == BOOST:
                    boost += rules.numbers[rule, 0]
                    pool.changed[rule, column] = True
                elif rules.kinds[rule] == BURY:
                    pool.buried[column] = pool.changed[rule, column] = True
        pool.utilities[column] += min(boost, MAX_BOOST)
    if mean_price > 0 and (acting.upsell != NOTHING or acting.price_fit != NOTHING):  # false where it is not known
        for column in range(count):
            price = np.float64(prices[items[query, column]])
            if price > 0:
                _change_by_price(math.log(price / mean_price), column, rules, acting, pool)


@compiled_in_place
def _change_by_price(dearer: float, column: int, rules: RuleTable, acting: Acting, pool: Pool) -> None:
    """Add what upsell and price fit mean for an item that is so much dearer than the user's mean, as a logarithm."""
    rule = acting.upsell
    if rule != NOTHING and pool.members[rule, column]:
        gain = rules.numbers[rule, 0] * min(max(dearer, 0.0), rules.numbers[rule, 1])
        pool.utilities[column] += gain
        pool.changed[rule, column] = gain > 0
    rule = acting.price_fit
    if rule != NOTHING and pool.members[rule, column]:
        loss = rules.numbers[rule, 0] * max(dearer - rules.numbers[rule, 1], 0.0)
        pool.utilities[column] -= loss
        pool.changed[rule, column] = loss > 0


@compiled
def write_order(count: int, pool: Pool) -> None:
    """Write the columns in the order in which they are preferred.

    Each is inserted behind those before it: most stand there already, since the ranker's order is the pool's.
    """
    order, buried, utilities = pool.order, pool.buried, pool.utilities
    for column in range(count):
        utility, last = np.float32(utilities[column]), buried[column]
        place = column
        while place > 0:
            before = order[place - 1]
            ahead = np.float32(utilities[before]) >= utility if buried[before] == last else last
            if ahead:
                break
            order[place] = before
            place -= 1
        order[place] = column
