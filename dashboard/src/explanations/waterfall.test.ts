import { expect, test } from "vitest";

import { digitsFor, placeOf, waterfall, wholeParts } from "./waterfall";

test("each part begins where the one before it ends, and the last ends at the item's score", () => {
  // The worked example of docs/explanations.md.
  const { steps, start, end, low, high } = waterfall(
    1.5,
    [
      { group: "transitions", value: 4 },
      { group: "price", value: 1 },
      { group: "two_tower", value: -0.75 },
    ],
    5.75,
  );
  expect(steps.map(({ from, to }) => [from, to])).toEqual([
    [1.5, 5.5],
    [5.5, 6.5],
    [6.5, 5.75],
  ]);
  expect([start, end, low, high]).toEqual([1.5, 5.75, 1.5, 6.5]);
});

test("what is shown adds up to the last digit, although each number is rounded", () => {
  const thirds = [1 / 3, 1 / 3, 1 / 3].map((value, index) => ({ group: `g${index}`, value }));
  const { steps, startUnits, endUnits, digits } = waterfall(0, thirds, 1);
  expect(digits).toBe(2);
  expect(steps.map(({ units }) => units)).toEqual([34, 33, 33]);
  expect(startUnits + steps.reduce((sum, { units }) => sum + units, 0)).toBe(endUnits);
});

test("rounded parts sum to the total, above and below it, with negative ones", () => {
  expect(wholeParts([1.45, 1.4, -0.8], 2)).toEqual([2, 1, -1]);
  expect(wholeParts([0.5, 0.5], 1)).toEqual([0, 1]);
  expect(wholeParts([2.2, -1.2], 1)).toEqual([2, -1]);
});

test("groups in which both items are alike are no parts", () => {
  const { steps, same } = waterfall(
    2,
    [
      { group: "price", value: 0 },
      { group: "brand", value: 1 },
    ],
    3,
  );
  expect(steps).toHaveLength(1);
  expect(same).toEqual(["price"]);
});

test("where nothing differs all bars stand at one place", () => {
  const chart = waterfall(2, [], 2);
  expect(placeOf(2, chart)).toBe(0);
  expect(chart.digits).toBe(2);
});

test("digits follow the span", () => {
  expect([300, 30, 3, 0.3, 0.0003].map(digitsFor)).toEqual([0, 1, 2, 3, 6]);
});
