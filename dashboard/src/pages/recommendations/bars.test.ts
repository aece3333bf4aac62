import { expect, test } from "vitest";

import { scoreBars, SHORTEST } from "./bars";
import { listed } from "./testItems";

test("scores lie between the lowest and the highest of the list, also below zero", () => {
  const items = [
    listed({ item_id: "a", score: 3 }),
    listed({ item_id: "b", score: 1 }),
    listed({ item_id: "c", score: -1 }),
  ];
  expect([...scoreBars(items).values()]).toEqual([1, SHORTEST + (1 - SHORTEST) / 2, SHORTEST]);
});

test("popular items that fill a list have a scale of their own", () => {
  const items = [
    listed({ item_id: "a", score: 3 }),
    listed({ item_id: "b", score: 2 }),
    listed({ item_id: "c", score: 900, model_source: "popularity" }),
  ];
  expect(scoreBars(items).get("a")).toBe(1);
  expect(scoreBars(items).get("b")).toBe(SHORTEST);
  expect(scoreBars(items).get("c")).toBe(1);
});
