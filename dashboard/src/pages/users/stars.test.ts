import { expect, test } from "vitest";

import { starsOf } from "./stars";

test("ratings from 0 to 5 are stars, others are none", () => {
  expect(starsOf(4)).toBe("★★★★☆");
  expect(starsOf(0)).toBe("☆☆☆☆☆");
  expect(starsOf(4.6)).toBe("★★★★★");
  expect(starsOf(9)).toBeNull();
});
