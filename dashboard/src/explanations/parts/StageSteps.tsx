import { Check, Circle, Minus, X, type LucideIcon } from "lucide-react";

import { t } from "@/strings/en";

import type { Explanation } from "../queries";
import { stepsOf, type StepState } from "../stages";

const LOOKS: Record<StepState, { icon: LucideIcon; look: string }> = {
  passed: { icon: Check, look: "bg-good-soft text-good" },
  stopped: { icon: X, look: "bg-bad-soft text-bad" },
  open: { icon: Circle, look: "bg-sunken text-muted" },
  missed: { icon: Minus, look: "bg-sunken text-muted" },
  skipped: { icon: Minus, look: "bg-sunken text-muted" },
};

/** How far an item came on its way to the list. */
export function StageSteps({ answer }: { answer: Pick<Explanation, "stage" | "sources"> }) {
  return (
    <ol
      aria-label={t.why.stages.title}
      data-stage={answer.stage}
      className="grid gap-2 @xs:grid-cols-2 @xl:grid-cols-3 @4xl:grid-cols-6"
    >
      {stepsOf(answer).map(({ step, state }) => {
        const { icon: Icon, look } = LOOKS[state];
        return (
          <li
            key={step}
            className={
              "flex items-center gap-2 rounded-lg border px-2 py-1.5 text-sm " +
              (state === "stopped" ? "border-bad" : "border-line")
            }
          >
            <span className={`flex size-6 shrink-0 items-center justify-center rounded-full ${look}`}>
              <Icon aria-hidden="true" className="size-4" />
            </span>
            <span className="min-w-0">
              <span className="block leading-tight font-medium">{t.why.stages.steps[step]}</span>
              <span className="block text-xs text-muted">{t.why.stages.states[state]}</span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}
