import { expect, test } from "vitest";

import { format } from "./format";

test("money has the currency's sign where there is one", () => {
  expect(format.money(12.5, "EUR")).toBe("€12.50");
  expect(format.money(12.5, null)).toBe("12.50");
});

test("what is added or taken away has a sign, nothing has none", () => {
  expect(format.signed(0.25)).toBe("+0.25");
  expect(format.signed(-3)).toBe("-3");
  expect(format.signed(0)).toBe("0");
});

test("numbers of a column have the same digits", () => {
  expect(format.fixed(2, 2)).toBe("2.00");
  expect(format.fixed(0.5, 1, "exceptZero")).toBe("+0.5");
});

test("small numbers keep the digits that count", () => {
  expect(format.significant(0.000412345)).toBe("0.000412");
  expect(format.significant(-56.009136, 4, "exceptZero")).toBe("-56.01");
});
