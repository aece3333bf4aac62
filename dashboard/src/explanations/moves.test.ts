import { expect, test } from "vitest";

import { moveOf, movesOf } from "./moves";

test("places are counted up the list", () => {
  expect(moveOf({ rank: 2, rank_before: 5, rules: ["spring"] })?.places).toBe(3);
  expect(moveOf({ rank: 5, rank_before: 2, rules: ["bury"] })?.places).toBe(-3);
});

test("without rules in force there is no move", () => {
  expect(moveOf({ rank: 2 })).toBeNull();
  expect(moveOf({ rank: 2, rank_before: 2, rules: [] })).toBeNull();
});

test("a rule that keeps an item where it is had a part, too", () => {
  expect(moveOf({ rank: 1, rank_before: 1, rules: ["pin"] })?.places).toBe(0);
});

test("a list's summary counts rules once, and not the items that only gave way", () => {
  const { rules, moved } = movesOf([
    { rank: 1, rank_before: 3, rules: ["pin", "spring"] },
    { rank: 2, rank_before: 9, rules: ["spring"] },
    { rank: 3, rank_before: 1, rules: [] },
  ]);
  expect(rules).toEqual(["pin", "spring"]);
  expect(moved.map(({ item }) => item.rank)).toEqual([1, 2]);
});
