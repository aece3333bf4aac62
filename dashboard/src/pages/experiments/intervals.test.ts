import { expect, test } from "vitest";

import { chartOf } from "./intervals";

const day = (number: number, low: number, high: number) => ({
  day: number,
  low,
  high,
  middle: (low + high) / 2,
});

test("days stand from left to right, and zero where no difference is", () => {
  const chart = chartOf([day(1, -1, 3), day(2, 0, 2)]);
  expect([chart.least, chart.most]).toEqual([-1, 3]);
  expect(chart.zero).toBe(75);
  expect(chart.marks.map(({ x, top, bottom, middle }) => [x, top, bottom, middle])).toEqual([
    [25, 0, 100, 50],
    [75, 25, 75, 50],
  ]);
});

test("a first interval that is far wider than the last is cut off", () => {
  const chart = chartOf([day(1, -1000, 1000), day(2, -1, 1)]);
  expect([chart.least, chart.most]).toEqual([-4, 4]);
  expect(chart.marks[0]).toMatchObject({ top: 0, bottom: 100 });
});

test("intervals on one side of zero leave it in sight", () => {
  const chart = chartOf([day(1, 1, 2)]);
  expect([chart.least, chart.most, chart.zero]).toEqual([0, 2, 100]);
});
