import { expect, test } from "vitest";

import { countOf, priceOf } from "./typed";

test("prices are numbers from 0, with a point or a comma", () => {
  expect(["0", "12.5", "12,5", " 3 "].map(priceOf)).toEqual([0, 12.5, 12.5, 3]);
  expect(["", " ", "cheap", "-3", "Infinity"].map(priceOf)).toEqual([null, null, null, null, null]);
});

test("counts are whole numbers from 1", () => {
  expect(["7", "x", "-2", "0", "1.5", ""].map(countOf)).toEqual([7, 1, 1, 1, 1, 1]);
});
