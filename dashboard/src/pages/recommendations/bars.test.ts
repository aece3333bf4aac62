import { expect, test } from "vitest";

import { confidenceBars, scoreBars, SHORTEST } from "./bars";
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

test("confidences are in proportion to the highest", () => {
  const items = [
    listed({ item_id: "a", confidence: 0.04 }),
    listed({ item_id: "b", confidence: 0.01 }),
    listed({ item_id: "c", confidence: 0 }),
  ];
  expect([...confidenceBars(items).values()]).toEqual([1, 0.25, 0]);
  expect([...confidenceBars([listed({ item_id: "a" })]).values()]).toEqual([0]);
});
