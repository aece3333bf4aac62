import { expect, test } from "vitest";

import { packNames, unpackNames } from "./names";

test("names come out as they went in, whatever is in them", () => {
  const names = ["plain", "Salt, pepper & co", "100% wool", "%2C", "é,%25"];
  expect(unpackNames(packNames(names))).toEqual(names);
});

test("commas of a name are told from those between names", () => {
  expect(packNames(["a,b", "c"])).toBe("a%2Cb,c");
  expect(packNames([])).toBe("");
  expect(unpackNames("")).toEqual([]);
});
