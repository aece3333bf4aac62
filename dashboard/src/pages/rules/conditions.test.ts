import { describe, expect, test } from "vitest";

import cases from "./conditions.cases.json";
import {
  contextNames,
  itemsExpression,
  readItems,
  readUsers,
  usersExpression,
  type ItemCondition,
  type UserCondition,
} from "./conditions";

describe("what is clicked together is written, and read again", () => {
  test.each(cases.where)("$expression", ({ conditions, expression, one_way: oneWay }) => {
    expect(itemsExpression(conditions as ItemCondition[])).toBe(expression);
    // 0.0000001 is read as it is written, 1e-7.
    if (!oneWay) expect(readItems(expression)).toEqual(conditions);
  });
  test.each(cases.when)("$expression", ({ conditions, expression }) => {
    expect(usersExpression(conditions as UserCondition[])).toBe(expression);
    expect(readUsers(expression)).toEqual(conditions);
  });
});

test("what is not filled in yet is left out", () => {
  expect(
    itemsExpression([
      { kind: "brand", names: [] },
      { kind: "price", from: "", to: "" },
      { kind: "price", from: "-1", to: "cheap" },
      { kind: "title", text: "" },
      { kind: "items", names: ["a"] },
    ]),
  ).toBe('item.id == "a"');
  expect(usersExpression([{ kind: "context", name: "a b", text: "x" }])).toBe("");
});

test.each([
  'item.brand != "A"',
  'item.brand == "A" || item.price < 5',
  'item.brand == "A" && ',
  'item.brand == "A" &&item.price >= 5',
  "item.price >= 05",
  "item.brand == 'A'",
  'item.brand in ["A"]',
  '(item.brand == "A")',
  String.raw`item.brand == "\a"`,
])("the form does not pretend to show what it would write otherwise: %s", (expression) => {
  expect(readItems(expression)).toBeNull();
});

test("names of the context are found outside of texts", () => {
  expect(
    contextNames(
      String.raw`context.country == "context.city \" context.x" && context.n > 3 || context.country == 'context.y'`,
    ),
  ).toEqual(["country", "n"]);
});
