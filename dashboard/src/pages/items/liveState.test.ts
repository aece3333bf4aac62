import { expect, test } from "vitest";

import { isSoldOut, standingOf, type Live } from "./liveState";

const live: Live = {
  state: "trained",
  version: 1,
  since: null,
  updated_at: null,
  updated_by: null,
  available: null,
  stock: null,
  fields: [],
};

test("an item stands as the shop's changes say", () => {
  expect(standingOf(undefined)).toBe("asBundle");
  expect(standingOf(live)).toBe("changed");
  expect(standingOf({ ...live, state: "new" })).toBe("new");
  expect(standingOf({ ...live, state: "no_text" })).toBe("waiting");
  expect(standingOf({ ...live, state: "deleted" })).toBe("deleted");
});

test("sold out is what is not available, or has no stock; not what nobody spoke of", () => {
  expect(isSoldOut({ attributes: {} })).toBe(false);
  expect(isSoldOut({ live, attributes: {} })).toBe(false);
  expect(isSoldOut({ live: { ...live, stock: 0 }, attributes: {} })).toBe(true);
  expect(isSoldOut({ live: { ...live, available: false, stock: 3 }, attributes: {} })).toBe(true);
  expect(isSoldOut({ live: { ...live, available: true, stock: 3 }, attributes: {} })).toBe(false);
});

test("the bundle's stock counts until another one is told", () => {
  expect(isSoldOut({ attributes: { stock: 0 } })).toBe(true);
  expect(isSoldOut({ attributes: { stock: 2 } })).toBe(false);
  expect(isSoldOut({ live: { ...live, stock: 5 }, attributes: { stock: 0 } })).toBe(false);
});
