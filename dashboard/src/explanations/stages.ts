/** The way of an item to the list, step by step. */

import type { Schema } from "@/api/client";

export const STEPS = ["proposed", "allowed", "finalist", "ranked", "arranged", "listed"] as const;
export type StepName = (typeof STEPS)[number];
export type StepState = "passed" | "stopped" | "open" | "skipped" | "missed";

type Way = Pick<Schema<"ExplanationResponse">, "stage" | "sources">;

const STOPS_AT: Record<Schema<"Stage">, StepName | null> = {
  listed: null,
  filled: null,
  arranged: "listed",
  ranked: "arranged",
  candidate: "finalist",
  forbidden: "allowed",
  unproposed: "proposed",
};

/** What became of the item at each step. An item that fills the list up needs none of them but the last. */
export function stepsOf({ stage, sources }: Way): { step: StepName; state: StepState }[] {
  if (stage === "filled")
    return STEPS.map((step) => ({
      step,
      state: step === "listed" || step === "allowed" ? "passed" : "skipped",
    }));
  const stop = STOPS_AT[stage];
  const stopsAt = stop === null ? STEPS.length : STEPS.indexOf(stop);
  // What is forbidden is forbidden whether or not a source proposes it.
  const proposed = stage !== "forbidden" || sources.some((source) => source.proposed);
  return STEPS.map((step, index) => ({ step, state: stateOf(step, index, stopsAt, proposed) }));
}

function stateOf(step: StepName, index: number, stopsAt: number, proposed: boolean): StepState {
  if (step === "proposed" && !proposed) return "missed";
  if (index < stopsAt) return "passed";
  return index === stopsAt ? "stopped" : "open";
}

/** Whether an item of this stage is in the list. */
export function isListed(stage: Schema<"Stage">): boolean {
  return stage === "listed" || stage === "filled";
}
