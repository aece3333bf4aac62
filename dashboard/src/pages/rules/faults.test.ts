import { expect, test } from "vitest";

import { complaints, fieldErrors, findingsByField, type Finding } from "./faults";
import { newDraft } from "./rule";

test("complaints about a body stand at their fields", () => {
  expect(
    fieldErrors(
      "rules.0.action.boost.by: Input should be less than or equal to 3 (got 9); rules.0.valid_from: expected a time with its offset, such as 2026-12-01T00:00:00Z (got '2027-01-01')",
    ),
  ).toEqual({
    "action.by": "Input should be less than or equal to 3",
    valid_from: "expected a time with its offset, such as 2026-12-01T00:00:00Z",
  });
  expect(fieldErrors("action.pin.slot: Input should be greater than or equal to 1 (got 0)")).toEqual({
    "action.slot": "Input should be greater than or equal to 1",
  });
});

test("what the bundle cannot follow stands at its expression, with the place", () => {
  expect(
    fieldErrors("where, line 1, column 3: unknown field item.colour; there are item.age, item.brand"),
  ).toEqual({
    where: "line 1, column 3: unknown field item.colour; there are item.age, item.brand",
  });
  expect(fieldErrors("action.by: no items can be grouped by 'colour', but by brand")).toEqual({
    "action.by": "no items can be grouped by 'colour', but by brand",
  });
});

test("what holds of the whole rule stands where it can be mended", () => {
  expect(fieldErrors("rules.0: boost needs where: the items that it acts on (got {'id': 'a'})")).toEqual({
    where: "boost needs where: the items that it acts on",
  });
  expect(fieldErrors("request: valid_from must be before valid_to (got {})")).toEqual({
    valid_to: "valid_from must be before valid_to",
  });
  expect(fieldErrors("expected at most 4,000 lists, got 8,000: ask for fewer users")).toEqual({
    "": "expected at most 4,000 lists, got 8,000: ask for fewer users",
  });
});

const finding = (problem: Finding["problem"], message: string): Finding => ({
  problem,
  rules: ["a"],
  message,
  remedy: "mend it",
  of_sample: false,
});

test("findings stand at their fields, contradictions at none", () => {
  const draft = newDraft();
  const found = [
    finding("fault", "where, line 1, column 1: unknown field item.colour"),
    finding("dead", "when is true for none of 20 sampled requests"),
    finding("dead", "a list of 10 items has no slot 11"),
    finding("contradiction", "a hides all items that b pins, where both act"),
  ];
  expect(Object.keys(findingsByField(found, draft))).toEqual(["where", "when", "action.slot", ""]);
  const { errors, rest } = complaints(draft, { errors: { when: "refused" }, findings: found }, {});
  expect(errors["when"]).toBe("refused");
  expect(errors["where"]).toBe("line 1, column 1: unknown field item.colour");
  expect(rest.map(({ problem }) => problem)).toEqual(["contradiction"]);
});
