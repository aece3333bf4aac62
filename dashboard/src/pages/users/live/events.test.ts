import { expect, test } from "vitest";

import { EMPTY_DRAFT, eventOf } from "./events";

const item = { item_id: "i", title: "An item", price: 9.5 };

test("a view is told without price and rating", () => {
  expect(eventOf("u", { ...EMPTY_DRAFT, item })).toEqual({ user_id: "u", item_id: "i", event_type: "view" });
});

test("a purchase has the price where it is known", () => {
  const event = { user_id: "u", item_id: "i", event_type: "purchase", quantity: 1 };
  expect(eventOf("u", { ...EMPTY_DRAFT, item, type: "purchase" })).toEqual({ ...event, price: 9.5 });
  expect(eventOf("u", { ...EMPTY_DRAFT, item: { ...item, price: null }, type: "purchase" })).toEqual(event);
});

test("nothing is sent without an item, or a rating that is none", () => {
  expect(eventOf("u", EMPTY_DRAFT)).toBeNull();
  expect(eventOf("u", { item, type: "rating", rating: "much" })).toBeNull();
  expect(eventOf("u", { item, type: "rating", rating: " " })).toBeNull();
  expect(eventOf("u", { item, type: "rating", rating: "4" })).toMatchObject({ rating: 4 });
});
