import { expect, test } from "vitest";

import { arrivals, byMonth, rowKey, whenText, type HistoryRow } from "./history";

function row(item_id: string, at: string | null, action: string | null = "view"): HistoryRow {
  return {
    item_id,
    at,
    action,
    title: null,
    brand: null,
    price: null,
    rating: null,
    categories: [],
    image: null,
  };
}

test("rows of one month are together, the latest month first, those without a time at last", () => {
  const months = byMonth([
    row("a", "2016-04-21T00:00:00Z"),
    row("b", "2016-04-01T00:00:00Z"),
    row("c", "2015-12-31T00:00:00Z"),
    row("d", null),
  ]);
  expect(months.map(({ label, rows }) => [label, rows.map(({ item_id }) => item_id)])).toEqual([
    ["April 2016", ["a", "b"]],
    ["December 2015", ["c"]],
    ["", ["d"]],
  ]);
});

test("a day is that day in every time zone, and has no time of day", () => {
  expect(whenText("2016-04-01T00:00:00Z")).toBe("Apr 1, 2016");
  expect(whenText("2016-04-01T00:00:00.000Z")).toBe("Apr 1, 2016");
});

test("what has come is told from older rows that a longer page shows", () => {
  const before = [row("a", "2016-04-21T00:00:00Z"), row("b", "2016-04-01T00:00:00Z")];
  const known = new Set(before.map(rowKey));
  const event = row("n", "2026-01-01T10:00:00Z");
  const older = row("o", "2010-01-01T00:00:00Z");
  expect(arrivals(known, [event, ...before, older])).toEqual([event]);
  expect(arrivals(known, [...before, older])).toEqual([]);
});

test("an item of the history that is seen again has come again", () => {
  const known = new Set([rowKey(row("a", "2016-04-21T00:00:00Z")), rowKey(row("b", "2016-04-01T00:00:00Z"))]);
  const again = row("a", "2026-01-01T10:00:00Z");
  expect(arrivals(known, [again, row("b", "2016-04-01T00:00:00Z")])).toEqual([again]);
  expect(arrivals(new Set(), [again])).toEqual([again]);
});
