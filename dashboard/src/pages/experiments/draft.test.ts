import { expect, test } from "vitest";

import { complaintsOf, draftOf, emptyVariant, NEW, termsFrom } from "./draft";
import type { ExperimentRow } from "./queries";

const row = (terms: Record<string, unknown>) =>
  ({ key: "season", status: "draft", terms }) as unknown as ExperimentRow;

test("what is written in the fields is what is sent", () => {
  const draft = {
    ...NEW,
    key: "season",
    traffic: "7",
    variants: [emptyVariant("old"), { ...emptyVariant("new"), weight: "3", k: "5", model: "two_tower" }],
    guardrails: [{ metric: "latency_ms", most: "2.5" }],
  };
  expect(termsFrom(draft)).toMatchObject({
    traffic: 0.07,
    least_users: 100,
    variants: [
      { name: "old", weight: 1, overrides: {} },
      { name: "new", weight: 3, overrides: { model: "two_tower", k: 5 } },
    ],
    guardrails: [{ metric: "latency_ms", most: 0.025 }],
  });
});

test("an experiment that is opened and saved says the same", () => {
  const terms = {
    title: "A title",
    layer: "length",
    traffic: 0.07,
    salt: "pepper",
    mode: "split",
    variants: [{ name: "a" }, { name: "b", weight: 2, overrides: { rules: "none", explain: "cheap" } }],
    primary: "revenue_per_user",
    guardrails: [{ metric: "ctr", most: 0.1 }],
    alpha: 0.01,
    winsorised: 0.95,
    least_users: 40,
  };
  expect(termsFrom(draftOf(row(terms)))).toEqual({
    ...terms,
    variants: [
      { name: "a", weight: 1, overrides: {} },
      { name: "b", weight: 2, overrides: { rules: "none", explain: "cheap" } },
    ],
  });
});

test("what is no number is sent as it is, for the server to name it", () => {
  expect(termsFrom({ ...NEW, leastUsers: "many" }).least_users).toBe("many");
});

test("what is not shown of two teams is not sent", () => {
  const draft = { ...NEW, mode: "interleaved" as const };
  const team = {
    ...emptyVariant("new"),
    weight: "3",
    model: "two_tower",
    k: "5",
    rules: "none",
    explain: "cheap",
  };
  expect(termsFrom({ ...draft, variants: [emptyVariant("old"), team] }).variants).toEqual([
    { name: "old", weight: 1, overrides: {} },
    { name: "new", weight: 1, overrides: { model: "two_tower" } },
  ]);
});

const NAMES = "Letters, digits, dots, hyphens and underscores; the first a letter or a digit.";

// What a server says, word for word.
test.each([
  [
    "variants.0.name: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' (got ''); variants.0.weight: Input should be less than or equal to 1000 (got 5000); variants.1.overrides.k: Input should be less than or equal to 100 (got 500); variants: Tuple should have at least 2 items after validation, not 0 (got [{'name': '', 'weight': 5000}, {'name': 'b', 'overrides': {...}}])",
    {
      "variants.0.name": NAMES,
      "variants.0.weight": "Input should be less than or equal to 1000",
      "variants.1.overrides.k": "Input should be less than or equal to 100",
    },
  ],
  [
    "layer: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' (got ''); traffic: Input should be less than or equal to 1 (got 7); guardrails.0.most: Input should be less than or equal to 10 (got 11); least_users: Input should be a valid integer (got 'many')",
    {
      layer: NAMES,
      traffic: "Input should be less than or equal to 100",
      "guardrails.0.most": "Input should be less than or equal to 1000",
      least_users: "Input should be a valid integer",
    },
  ],
  [
    "request: expected variants of different names, got 'a' twice (got {'variants': [{...}, {...}]})",
    { "": "expected variants of different names, got 'a' twice" },
  ],
  [
    "variants: Tuple should have at least 2 items after validation, not 1 (got [{'name': 'a'}])",
    { "": "variants: Tuple should have at least 2 items after validation, not 1" },
  ],
  [
    "variants.0.name: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' (got 'a (got it)'); variants.1.name: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' (got 'a; layer: b')",
    { "variants.0.name": NAMES, "variants.1.name": NAMES },
  ],
])("complaints stand at their fields: %s", (detail, complaints) => {
  expect(complaintsOf(detail)).toEqual(complaints);
});
