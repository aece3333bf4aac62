import { expect, test } from "vitest";

import type { Reason } from "./queries";
import { reasonText } from "./reasons";

const reason = (code: Reason["code"], numbers: Record<string, number | string> = {}): Reason =>
  ({ code, numbers, blocks: false }) as Reason;

test("a reason is a sentence with its numbers", () => {
  expect(reasonText(reason("few_users", { variant: "trial", users: 12, least: 100 }))).toBe(
    "“trial” has 12 users; a verdict takes 100.",
  );
  expect(
    reasonText(
      reason("primary_better", { metric: "ctr", p: 0.01, difference: 0.02, low: 0.005, high: 0.035 }),
    ),
  ).toBe("Click-through rate is better: +2\u00a0pp, between +0.5\u00a0pp and +3.5\u00a0pp.");
  expect(
    reasonText(
      reason("guardrail_kept", { metric: "latency_ms", most: 0.05, worse_by: 0.01, low: -0.02, high: 0.04 }),
    ),
  ).toBe("Time to answer is worse by less than 5%: between -2% and +4%, below zero is better.");
});

test("an open guardrail tells its interval, if there is one", () => {
  const open = { metric: "latency_ms", most: 0.05 };
  expect(reasonText(reason("guardrail_open", open))).toBe(
    "Time to answer may be worse by 5% or more: too little is known.",
  );
  expect(reasonText(reason("guardrail_open", { ...open, low: -0.02, high: 0.1 }))).toBe(
    "Time to answer may be worse by 5% or more: worse by between -2% and +10%, below zero is better.",
  );
});

test("a day is counted from 1970 on", () => {
  // 20,454 days after 1970-01-01 is 2026-01-01.
  expect(reasonText(reason("guardrail_was_broken", { metric: "ctr", day: 20_454 }))).toBe(
    "Click-through rate was too much worse on Jan 1, 2026.",
  );
});

test("without an interval the sentence does not speak of one", () => {
  expect(reasonText(reason("primary_open", { metric: "ctr" }))).toBe(
    "Click-through rate: the difference is not known yet.",
  );
});

test("a reason that the page does not know is shown by its name", () => {
  expect(reasonText(reason("something_new" as Reason["code"]))).toBe("something_new");
});
