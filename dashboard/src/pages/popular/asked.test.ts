import { expect, test } from "vitest";

import { askedOf, DEFAULTS, pagesAround } from "./asked";

test("what nobody chose is not asked for", () => {
  expect(askedOf(DEFAULTS)).toEqual({ k: 24, offset: 0 });
});

test("a state is asked for as it is", () => {
  const state = { ...DEFAULTS, brand: "A", min: "3", scenario: " home ", k: "12", page: "3" };
  expect(askedOf(state)).toEqual({ k: 12, offset: 24, brand: "A", min_price: 3, scenario: "home" });
});

test("no page begins behind what the server gives", () => {
  expect(askedOf({ ...DEFAULTS, k: "100", page: "50" }).offset).toBe(900);
  expect(askedOf({ ...DEFAULTS, page: "50" }).offset).toBe(888);
  expect(pagesAround({ k: 24, offset: 888 }, 24)).toEqual({ before: 37, after: null });
});

test("a page that is not full is the last one", () => {
  expect(pagesAround({ k: 24, offset: 0 }, 24)).toEqual({ before: null, after: 2 });
  expect(pagesAround({ k: 24, offset: 24 }, 23)).toEqual({ before: 1, after: null });
});
