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

test("complaints stand at their fields", () => {
  expect(
    complaintsOf(
      "variants.1.weight: Input should be less than or equal to 1000 (got 5000); layer: String should match pattern (got '')",
    ),
  ).toEqual({
    "variants.1.weight": "Input should be less than or equal to 1000",
    layer: "String should match pattern",
  });
});
