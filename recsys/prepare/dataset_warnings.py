"""What a preparation tells its owner beside the counts: sentences about what may not be as it was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from recsys.core.attributes import STOCK
from recsys.prepare.attributes import NOT_UNDERSTOOD
from recsys.prepare.engine import oddities
from recsys.prepare.engine.filters import FilterReport
from recsys.prepare.engine.repeated_events import RepeatedEvents
from recsys.prepare.engine.staging import Database
from recsys.prepare.formats.evident import STORE
from recsys.prepare.inputs import Inputs
from recsys.prepare.item_cleaning import PRICES_IN
from recsys.prepare.known_users import USER_NOT_IN_DATASET, UserCounts
from recsys.prepare.tally import iso_time

MOST_INPUTS_NAMED = 5
MANY_TIMES = 10  # as many items without interactions as with them
REBOUGHT_SHARE = 0.1  # of what is bought, from which on repeats are worth a setting
PRICE_IN = "price in "  # how remarks on the currencies of an input begin


def find_warnings(
    db: Database,
    inputs: Inputs,
    repeated: RepeatedEvents,
    filtered: FilterReport,
    counts: Mapping[str, int],
    record_causes: Mapping[str, int],
    known: Mapping[str, int],
    users: UserCounts,
) -> list[str]:
    """All there is to say of a dataset whose tables are finished, most general first.

    `known`: of each attribute, how many items have it; `users`: what became of records of users.
    """
    return [
        *inputs.notes,
        *_of_inputs(inputs),
        *_of_repeated(inputs, repeated),
        *_of_filters(filtered),
        *_of_shares(db),
        *_of_ids(db),
        *(_of_catalogue(db, counts, record_causes) if inputs.metadata or inputs.properties else ()),
        *_of_attributes(inputs, record_causes, known),
        *(_of_stock(db, known[STOCK]) if STOCK in known else ()),
        *_of_users(inputs, users),
    ]


def _of_inputs(inputs: Inputs) -> Iterator[str]:
    for each in inputs.all:
        if each.report.truncated:
            yield f"{each.report.path} is truncated: what is there was read."
    for log in inputs.interactions:
        if log.format_name == STORE and log.report.bad:
            causes = ", ".join(f"{count:,} {cause}" for cause, count in sorted(log.report.dropped.items()))
            yield (
                f"{log.report.bad:,} of {log.report.lines:,} events in the store {log.report.path} are not used "
                f"({causes}){_reasons(log.report.explanations)}: see data.event_weights and data.rating_range."
            )
    for log in inputs.interactions:
        prices = {remark: count for remark, count in log.report.remarks.items() if remark.startswith(PRICE_IN)}
        if prices:
            named = ", ".join(f"{remark.removeprefix(PRICE_IN)} {count:,}" for remark, count in prices.items())
            yield f"Prices in {log.report.path} are in several currencies ({named}): they are taken as if in one."
    empty = [log.report.path.name for log in inputs.interactions if not log.tally.rows]
    if empty:
        yield f"{len(empty):,} inputs without an event that could be read: {', '.join(empty[:MOST_INPUTS_NAMED])}."
    tallies = [log.tally for log in inputs.interactions if log.tally.time_range]
    rows = sum(tally.rows for tally in tallies)
    times = {time for tally in tallies for time in tally.time_range or ()}
    if rows > 1 and len(times) == 1:
        yield f"All events are at one time, {iso_time(times.pop())}: their order is that of the lines."
    elif rows > 1 and sum(tally.at_midnight for tally in tallies) == rows:
        yield "All times are at midnight: the order of a user's events within a day is that of the lines."


def _reasons(explanations: Mapping[str, str]) -> str:
    return "".join(f"; {name}: {why}" for name, why in explanations.items())


def _of_repeated(inputs: Inputs, repeated: RepeatedEvents) -> Iterator[str]:
    if repeated.of_inputs:
        named = ", ".join(
            f"{inputs.interactions[number].report.path.name} {count:,}"
            for number, count in repeated.of_inputs.most_common(MOST_INPUTS_NAMED)
        )
        yield f"{repeated.of_inputs.total():,} events came more than once and count once (repeated in {named})."
    if not repeated.ids_used:
        yield (
            "event_id was not used to tell repeated events: ids that come again are mostly of different events "
            f"({repeated.ambiguous_ids:,}), as numbers of orders or sessions are."
        )
    elif repeated.ambiguous_ids:
        yield f"{repeated.ambiguous_ids:,} event ids are those of several different events, which all count."


def _of_filters(filtered: FilterReport) -> Iterator[str]:
    if filtered.reduced:
        yield f"Returned in part: {filtered.reduced:,} purchases are kept with what is left of their quantity."
    if filtered.rebought >= max(1, REBOUGHT_SHARE * filtered.bought):
        yield (
            f"{filtered.rebought:,} of {filtered.bought:,} purchases are of something that the same user had bought "
            "before: one of each is kept. Where people buy the same again, set data.repeats: all (or count)."
        )
    if filtered.outstanding_users:
        names = ", ".join(f"{user!r} ({events:,} events)" for user, events in filtered.outstanding_users)
        yield f"Left out as no person, see data.max_user_events: {names}."
    if filtered.busy_users:
        users, share = filtered.busy_users
        yield (
            f"{users:,} users have {share:.0%} of all events together, each over ten times those of the median user: "
            "if they are crawlers or tills, data.max_user_share: 0 leaves them out."
        )


def _of_shares(db: Database) -> Iterator[str]:
    for entry in oddities.outstanding(db):
        cause = "a bot, a test account or all guests under one id" if entry.entity == "user" else "a bag or a gift card"
        yield (
            f"The {entry.entity} {entry.id!r} has {entry.share:.0%} of all interactions ({entry.interactions:,}), far "
            f"more than any usual one: perhaps {cause}."
        )


def _of_ids(db: Database) -> Iterator[str]:
    for ids in oddities.alike_ids(db):
        first, second = map(ascii, ids.example)
        yield (
            f"{ids.count:,} {ids.entity} ids differ from another only in case, blanks, unseen characters or Unicode "
            f"form ({first} and {second}): they count as different {ids.entity}s."
        )


def _of_catalogue(db: Database, counts: Mapping[str, int], record_causes: Mapping[str, int]) -> Iterator[str]:
    items, missing, others = (
        counts[name] for name in ("items", "items_without_metadata", "items_without_interactions")
    )
    interacted, described = items - others, items - missing
    if missing > interacted / 2:
        what = "items with interactions" if others else "items"
        yield (
            f"Only {interacted - missing:,} of {interacted:,} {what} have a record in the catalogue: compare how its "
            "ids and those of the events are written."
        )
    if others > MANY_TIMES * interacted:
        yield (
            f"{others:,} items of the catalogue have no interactions, over {MANY_TIMES} times those that have "
            f"({interacted:,}): training encodes the text of each, and lists may hold any. data.items: interacted "
            "leaves them out."
        )
    untitled = oddities.items_without_title(db)
    if untitled > described / 2:
        yield f"{untitled:,} of {described:,} items of the catalogue have no title: look at its fields' names."
    currencies = {cause.removeprefix(PRICES_IN): n for cause, n in record_causes.items() if cause.startswith(PRICES_IN)}
    if len(currencies) > 1:
        named = ", ".join(
            f"{currency} {n:,}" for currency, n in sorted(currencies.items(), key=lambda entry: -entry[1])
        )
        yield f"Prices in the catalogue are in several currencies ({named}): they are taken as if in one."


def _of_attributes(inputs: Inputs, record_causes: Mapping[str, int], known: Mapping[str, int]) -> Iterator[str]:
    for name, items in known.items():
        count = record_causes.get(name + NOT_UNDERSTOOD, 0)
        if count:
            reasons = (each.report.explanations.get(name) for each in inputs.all)
            why = next((reason for reason in reasons if reason), "")
            yield f"{count:,} values of {name} in the catalogue are not understood and count as missing: {why}."
        if not items:
            yield f"No item has a value of {name}: rules that read it act on nothing."


def _of_stock(db: Database, known: int) -> Iterator[str]:
    sold_out = oddities.items_sold_out(db)
    if sold_out > known / 2:
        yield f"{sold_out:,} of {known:,} items with a stock are sold out: they are in no list."


def _of_users(inputs: Inputs, users: UserCounts) -> Iterator[str]:
    for name, known in users.known.items():
        count = users.fields[name + NOT_UNDERSTOOD]
        if count:
            why = next((reason for each in inputs.all if (reason := each.report.explanations.get(name))), "")
            yield f"{count:,} values of {name} of users are not understood and count as missing: {why}."
        if not known:
            yield f"No user has a value of {name}."
    others = users.dropped[USER_NOT_IN_DATASET]
    if others > users.read / 2:
        yield (
            f"{others:,} of {users.read:,} records are of users who are not in the dataset: compare how their ids and "
            "those of the events are written."
        )
