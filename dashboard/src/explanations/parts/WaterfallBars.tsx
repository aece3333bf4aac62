import type { ReactNode } from "react";

import { t } from "@/strings/en";

import { groupLabel } from "../labels";
import { placeOf, type Step, type Waterfall } from "../waterfall";
import { Named } from "./Named";
import { shown, signed } from "./waterfallNumbers";

/** The bars, for eyes alone: the table beside them says the same. */
export function WaterfallBars({ chart, startLabel }: { chart: Waterfall; startLabel: string }) {
  return (
    <div aria-hidden="true" className="space-y-2 text-sm">
      <Row
        label={startLabel}
        value={shown(chart.startUnits, chart)}
        bar={<Mark at={placeOf(chart.start, chart)} />}
      />
      {chart.steps.map((step) => (
        <Row
          key={step.group}
          label={<Named label={groupLabel(step.group)} name={step.group} />}
          value={
            <span className={step.value > 0 ? "text-good" : "text-bad"}>{signed(step.units, chart)}</span>
          }
          bar={<Bar step={step} chart={chart} />}
        />
      ))}
      <Row
        label={<span className="font-semibold">{t.why.chart.end}</span>}
        value={<span className="font-semibold">{shown(chart.endUnits, chart)}</span>}
        bar={<Mark at={placeOf(chart.end, chart)} />}
      />
    </div>
  );
}

/** Label and number above the bar where there is little room, beside it else. */
function Row({ label, value, bar }: { label: ReactNode; value: ReactNode; bar: ReactNode }) {
  return (
    <div className="grid grid-cols-[1fr_auto] items-center gap-x-3 gap-y-1 @xl:grid-cols-[minmax(0,15rem)_1fr_5rem]">
      <div className="line-clamp-2 min-w-0 leading-tight">{label}</div>
      <div className="text-right font-medium whitespace-nowrap @xl:order-3">{value}</div>
      <div className="relative col-span-2 h-5 rounded-sm bg-sunken @xl:order-2 @xl:col-span-1">{bar}</div>
    </div>
  );
}

function Bar({ step, chart }: { step: Step; chart: Waterfall }) {
  const left = placeOf(Math.min(step.from, step.to), chart);
  const width = placeOf(Math.max(step.from, step.to), chart) - left;
  return (
    <>
      {/* Where the bar before this one ended. */}
      <div
        className="absolute bottom-1/2 hidden h-7 w-px bg-line-strong @xl:block"
        style={{ left: `${placeOf(step.from, chart)}%` }}
      />
      <div
        className={`absolute inset-y-0.5 min-w-0.5 rounded-xs ${step.value > 0 ? "bg-good" : "bg-bad"}`}
        style={{ left: `${left}%`, width: `${width}%` }}
      />
    </>
  );
}

function Mark({ at }: { at: number }) {
  return (
    <div className="absolute inset-y-0 w-1 -translate-x-1/2 rounded-full bg-ink" style={{ left: `${at}%` }} />
  );
}
