import { expect, test } from "vitest";

import { placeOf } from "./spending";

const quartiles = [10, 20, 40];

test("a mean price stands in the fourth of its quarter, as far as it is between the bounds", () => {
  expect(placeOf({ mean_price: 5, segment: "small", quartiles })).toBe(0.125);
  expect(placeOf({ mean_price: 15, segment: "low_average", quartiles })).toBe(0.375);
  expect(placeOf({ mean_price: 40, segment: "average", quartiles })).toBe(0.75);
});

test("the last quarter is open: twice its bound is in its middle", () => {
  expect(placeOf({ mean_price: 80, segment: "high", quartiles })).toBe(0.875);
  expect(placeOf({ mean_price: 1e9, segment: "high", quartiles })).toBeLessThan(1);
});

test("a quarter without width has its price in its middle", () => {
  expect(placeOf({ mean_price: 10, segment: "low_average", quartiles: [10, 10, 40] })).toBe(0.375);
});

test("without a price or bounds there is no place", () => {
  expect(placeOf({ mean_price: null, segment: null, quartiles })).toBeNull();
  expect(placeOf({ mean_price: 3, segment: "small", quartiles: [] })).toBeNull();
});
