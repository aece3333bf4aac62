import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import { ExplanationView } from "./ExplanationView";
import type { Explanation } from "./queries";
import { explanation } from "./testAnswers";

afterEach(cleanup);

const request = { user_id: "u1", k: 10, offset: 0, exclude_seen: true, model: "full" } as const;

function show(answer: Explanation) {
  const queries = new QueryClient();
  render(
    <QueryClientProvider client={queries}>
      <ExplanationView answer={answer} request={request} />
    </QueryClientProvider>,
  );
}

test("the table beside the bars tells each step and its sum", () => {
  show(explanation());
  const rows = within(screen.getByRole("table", { name: "The same as a table" })).getAllByRole("row");
  const cells = rows.map((row) => [...row.children].map((cell) => cell.textContent));
  expect(cells.slice(1)).toEqual([
    ["“Soap”", "", "1.50"],
    ["Chosen next", "+4.00 raises it", "5.50"],
    ["Price", "+1.00 raises it", "6.50"],
    ["Taste (two-tower)", "-0.75 lowers it", "5.75"],
    ["This item", "", "5.75"],
  ]);
  expect(screen.getByText("1.50 + 4.25 = 5.75")).toBeTruthy();
});

test("an item of the history says where the item stands without it, and the set of them what comes instead", () => {
  show(explanation());
  expect(screen.getByText("Rank 1 → 14 without it")).toBeTruthy();
  expect(screen.getByText("it would be at rank 14.")).toBeTruthy();
  expect(screen.getByRole("link", { name: "Soap" }).getAttribute("href")).toBe("/item?id=i9");
});

test("an item that fills the list up has no personal reason and no chart", () => {
  show(
    explanation({
      stage: "filled",
      contributions: null,
      contributions_of: null,
      reference: null,
      reference_score: null,
      fallback_used: true,
      fallback_reason: "unknown user",
      history: [],
      counterfactual: null,
    }),
  );
  expect(screen.getByText(/no personal reason\. Why the list was filled up: unknown user\./)).toBeTruthy();
  expect(screen.queryByRole("table", { name: "The same as a table" })).toBeNull();
});

test("an item that is not in the list says where it stopped, what it lacks and what keeps it out", () => {
  show(
    explanation({
      stage: "ranked",
      rank: 30,
      score: 1,
      reference_score: 1.5,
      contributions: [{ group: "price", value: -0.5 }],
      counterfactual: null,
      kept_out_by: ["two-of-a-brand"],
    }),
  );
  const steps = within(screen.getByRole("list", { name: "How far it came" })).getAllByRole("listitem");
  expect(steps.map((step) => step.textContent)).toContain("Among the firststopped here");
  expect(screen.getByText("It lacks 0.500.")).toBeTruthy();
  const [link] = screen.getAllByRole("link", { name: "two-of-a-brand" });
  expect(link?.getAttribute("href")).toBe("/rules?rule=two-of-a-brand");
});

test("a sensitive fact is not shown", () => {
  const [fact] = explanation().facts;
  if (!fact) throw new Error("the example has a fact");
  show(explanation({ facts: [{ ...fact, text: null, value: "", sensitive: true }] }));
  expect(screen.getByText("Not shown, since it may be sensitive.")).toBeTruthy();
});
