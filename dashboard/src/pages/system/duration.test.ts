import { expect, test } from "vitest";

import { durationText } from "./duration";

test.each([
  [0.4, "0 s"],
  [59, "59 s"],
  [61, "1 min 1 s"],
  [3600, "1 h"],
  [90_061, "1 d 1 h"],
  [86_430, "1 d"],
])("%f seconds", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
