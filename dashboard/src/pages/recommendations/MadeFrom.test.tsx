import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import { MadeFrom } from "./MadeFrom";
import type { List } from "./queries";

afterEach(cleanup);

function shown(told: Partial<List>) {
  const list = {
    user_id: "anna",
    user: { known: true, interactions: 3, last_interaction_at: null, live_events: 0 },
    store: "live",
    generated_at: "2026-01-01T00:00:00Z",
    timing: { total_ms: 2 },
    items: [],
    ...told,
  } as unknown as List;
  render(<MadeFrom list={list} asOf="" busy={false} refresh={() => undefined} />);
  return screen
    .queryAllByRole("listitem")
    .map((item) => [item.textContent, item.querySelector("a")?.getAttribute("href")]);
}

test("a list says which experiments it is of, and that chance put it in order", () => {
  const experiments = [
    { experiment: "season", version: 2, variant: "new", delivered: true },
    { experiment: "length", version: 1, variant: "short", delivered: false },
    { experiment: "mix", version: 1, variant: null, delivered: true },
  ];
  expect(shown({ experiments, order: "drawn" })).toEqual([
    ["season: new", "/experiments?experiment=season"],
    ["length: short, not delivered", "/experiments?experiment=length"],
    ["mix: drafted from both variants", "/experiments?experiment=mix"],
    ["Order drawn by chance", undefined],
  ]);
});

test("a list of no experiment says nothing of them", () => {
  expect(shown({})).toEqual([]);
});
