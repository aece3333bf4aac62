import { expect, test } from "vitest";

import { columnsOf, peakOf, periodText, topOf } from "./chart";

test("an axis ends at a round number that is no less than the highest column", () => {
  expect([0, 1, 2, 3, 7, 10, 11, 49, 51, 208].map(topOf)).toEqual([1, 1, 2, 3, 8, 10, 15, 50, 60, 250]);
});

test("columns stand on the ground, side by side, as high as their numbers", () => {
  const [first, second, third] = columnsOf([5, 0, 10], 10);
  expect(first).toMatchObject({ y: 50, height: 50 });
  expect(second).toMatchObject({ y: 100, height: 0 });
  expect(third).toMatchObject({ y: 0, height: 100 });
  const step = 100 / 3;
  expect(second?.x).toBeCloseTo((first?.x ?? 0) + step);
  expect((third?.x ?? 0) + (third?.width ?? 0)).toBeLessThan(100);
});

test("a single interaction beside thousands can be seen", () => {
  expect(columnsOf([1], 5000)[0]?.height).toBe(1);
});

test("periods are named by what they are", () => {
  expect(periodText("2014-03-01", "month")).toBe("Mar 2014");
  expect(periodText("2014-10-01", "quarter")).toBe("Q4 2014");
  expect(periodText("2014-01-01", "year")).toBe("2014");
  expect(periodText("2014-03-03", "week")).toBe("Mar 3, 2014");
});

test("the peak is the first of the highest", () => {
  const counts = [1, 4, 4].map((interactions, index) => ({ start: `2014-0${index + 1}-01`, interactions }));
  expect(peakOf(counts)?.start).toBe("2014-02-01");
  expect(peakOf([])).toBeNull();
});
