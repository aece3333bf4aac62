import { expect, test } from "vitest";

import type { Schema } from "@/api/client";

import { found, ordered, type ListedItem } from "./listOrder";
import { listed } from "./testItems";

const card = (
  item_id: string,
  popularity: number | null,
  categories: string[] = [],
): Schema<"FoundItem"> => ({
  item_id,
  title: null,
  brand: null,
  categories,
  price: null,
  image: null,
  popularity,
});

const items = [
  listed({ item_id: "a", rank: 1, title: "Crème brûlée lamp", score: 3, price: 9, predicted_rating: 4 }),
  listed({ item_id: "b", rank: 2, brand: "Lumière", score: 2, price: null, predicted_rating: 4.5 }),
  listed({ item_id: "c", rank: 3, title: "Lamp", score: 5, price: 5, predicted_rating: null }),
  listed({ item_id: "d", rank: 4, score: 2, price: 9, predicted_rating: 4 }),
];
const cards = new Map([
  ["a", card("a", 7)],
  ["b", card("b", 90, ["Home", "Lighting"])],
  ["c", card("c", null)],
]);

const ids = (list: ListedItem[]) => list.map((item) => item.item_id).join("");

test.each([
  ["rank", "abcd"],
  ["score", "cabd"],
  ["price", "cadb"],
  ["-price", "adcb"],
  ["rating", "badc"],
  ["popularity", "bacd"],
] as const)("sorted by %s; what is not known is last, the rank decides between equals", (order, expected) => {
  expect(ids(ordered([...items].reverse(), cards, order))).toBe(expected);
});

test("a list is left as it was", () => {
  ordered(items, cards, "score");
  expect(ids(items)).toBe("abcd");
});

test.each([
  ["", "abcd"],
  ["  ", "abcd"],
  ["lamp", "ac"],
  ["LAMP creme", "a"],
  ["lumiere", "b"],
  ["light", "b"],
  ["nothing", ""],
])("found: %j", (text, expected) => {
  expect(ids(found(items, cards, text))).toBe(expected);
});
