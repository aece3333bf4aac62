import { expect, test } from "vitest";

import { sentenceOf } from "./sentence";

test.each([
  [{ action: { type: "hide" }, where: 'item.brand == "OPI"' }, "Hides items of “OPI”."],
  [
    {
      action: { type: "boost", by: 0.5 },
      where: '"Hair" in item.categories && item.price >= 5 && item.price <= 20',
      when: 'user.segment in ["average", "high"] && context.country == "DE"',
      scenario: "home",
    },
    "Raises items in “Hair” for 5 to 20 by 0.5 units, for users who spend above average or much and requests with country “DE”, in home.",
  ],
  [
    { action: { type: "pin", slot: 2 }, where: 'item.id in ["a", "b", "c", "d", "e"]' },
    "Puts the best of “a”, “b”, “c” and 2 more in place 2.",
  ],
  [
    { action: { type: "cap", by: "top_category", most: 2, window: 4 } },
    "Shows at most 2 of one top category in any 4 neighbouring places.",
  ],
  [
    { action: { type: "bury" }, where: "item.price < 1" },
    "Puts items where item.price < 1 behind all others.",
  ],
  [
    { action: { type: "promote", share: 0.25 }, where: "item.age <= 14" },
    "Gives 25% of the list to items first seen in the last 14 days.",
  ],
  [{ action: { type: "repurchase" } }, "Lets what was bought come back when it is due."],
])("%j", (terms, expected) => {
  expect(sentenceOf(terms)).toBe(expected);
});
