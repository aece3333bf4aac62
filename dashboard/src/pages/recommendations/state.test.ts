import { expect, test } from "vitest";

import { DEFAULTS, filtersSet, isVisitor, NO_FILTERS } from "./state";

test("filters that are set are counted, and cleared together", () => {
  const state = { ...DEFAULTS, user: "u", model: "als", brand: "A,B", seen: "false", min: "0" };
  expect(filtersSet(state)).toBe(3);
  expect(filtersSet({ ...state, ...NO_FILTERS })).toBe(0);
  expect({ ...state, ...NO_FILTERS }).toEqual({ ...DEFAULTS, user: "u", model: "als" });
});

test("a visitor is new with a session, or with one that is to begin, but not beside a user", () => {
  expect(isVisitor(DEFAULTS)).toBe(false);
  expect(isVisitor({ ...DEFAULTS, visitor: "1" })).toBe(true);
  expect(isVisitor({ ...DEFAULTS, session: "a" })).toBe(true);
  expect(isVisitor({ ...DEFAULTS, session: "a", user: "u" })).toBe(false);
});
