import { expect, test } from "vitest";

import { compare } from "./comparison";

const list = (...ids: string[]) => ids.map((item_id, index) => ({ item_id, rank: index + 1 }));

test("items are followed from the left list to the right one", () => {
  const compared = compare(list("a", "b", "c", "d"), list("c", "b", "e", "a"));
  expect(compared.places.get("a")).toEqual({ in: "both", left: 1, right: 4, up: -3 });
  expect(compared.places.get("b")).toEqual({ in: "both", left: 2, right: 2, up: 0 });
  expect(compared.places.get("c")).toEqual({ in: "both", left: 3, right: 1, up: 2 });
  expect(compared.places.get("d")).toEqual({ in: "left" });
  expect(compared.places.get("e")).toEqual({ in: "right" });
  expect(compared).toMatchObject({ both: 3, up: 1, down: 1, same: 1, onlyLeft: 1, onlyRight: 1 });
  expect(compared.overlap).toBeCloseTo(3 / 5);
});

test("ranks of a later page count from the top of the list", () => {
  const compared = compare([{ item_id: "a", rank: 25 }], [{ item_id: "a", rank: 30 }]);
  expect(compared.places.get("a")).toEqual({ in: "both", left: 25, right: 30, up: -5 });
});

test("nothing overlaps in lists of other items, all in empty ones", () => {
  expect(compare(list("a"), list("b"))).toMatchObject({ both: 0, onlyLeft: 1, onlyRight: 1, overlap: 0 });
  expect(compare([], []).overlap).toBe(1);
});
