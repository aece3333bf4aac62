import { expect, test } from "vitest";

import { sideBySide, differs, type PreviewItem } from "./lists";

const list = (ids: string): PreviewItem[] =>
  [...ids].map((id, index) => ({
    rank: index + 1,
    item_id: id,
    title: id,
    brand: null,
    price: null,
    popular: false,
  }));

test("each item says what becomes of it", () => {
  const { before, after } = sideBySide(list("abcd"), list("cbxd"));
  expect(before.map(({ item, fate, by }) => [item.item_id, fate, by])).toEqual([
    ["a", "out", 0],
    ["b", "same", 0],
    ["c", "moved", 2],
    ["d", "same", 0],
  ]);
  expect(after.map(({ item, fate, by }) => [item.item_id, fate, by])).toEqual([
    ["c", "moved", 2],
    ["b", "same", 0],
    ["x", "new", 0],
    ["d", "same", 0],
  ]);
});

test("a list that got shorter differs", () => {
  expect(differs(list("ab"), list("a"))).toBe(true);
  expect(differs(list("a"), list("ab"))).toBe(true);
  expect(differs(list("ab"), list("ba"))).toBe(true);
  expect(differs(list("ab"), list("ab"))).toBe(false);
});
