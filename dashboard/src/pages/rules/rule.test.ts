import { expect, test } from "vitest";

import { draftOf, lacksItems, newDraft, suggestedId, termsOf } from "./rule";

test("a rule is the same after it was opened and saved", () => {
  const terms = {
    action: { type: "cap", by: "seller", most: 3, window: 5 },
    where: "item.price < 5 || item.age < 3",
    when: "user.new",
    scenario: "home",
    priority: 10,
    valid_from: "2026-12-01T00:00:00Z",
    valid_to: "2027-01-01T12:30:15Z",
    enabled: false,
    note: "asked for by Jo",
  };
  expect(termsOf(draftOf("x", terms))).toEqual(terms);
});

test("what was left out is as the API has it", () => {
  const draft = draftOf("x", { action: { type: "calibrate", weight: 0.25 } });
  expect(termsOf(draft)).toEqual({
    action: { type: "calibrate", by: "category", weight: 0.25, latest: 0, order: "choice" },
    priority: 0,
    enabled: true,
  });
});

test("a number that is none goes to the server, which says so", () => {
  const draft = { ...newDraft(), type: "boost" as const, values: { by: "much" }, priority: "" };
  expect(termsOf(draft)).toEqual({ action: { type: "boost", by: "much" }, enabled: true });
});

test("a rule that needs items has none yet", () => {
  expect(lacksItems(newDraft())).toBe(true);
  expect(lacksItems(newDraft([{ kind: "brand", names: ["A"] }]))).toBe(false);
  expect(lacksItems(newDraft([], "mmr"))).toBe(false);
});

test("a rule is named by what it does, and unlike all others", () => {
  const draft = newDraft([{ kind: "brand", names: ["L'Oréal Paris"] }]);
  expect(suggestedId(draft, new Set())).toBe("hide-l-oreal-paris");
  expect(suggestedId(draft, new Set(["hide-l-oreal-paris", "hide-l-oreal-paris-2"]))).toBe(
    "hide-l-oreal-paris-3",
  );
  expect(suggestedId(newDraft([{ kind: "brand", names: ["日本"] }]), new Set())).toBe("hide");
});
