import { t } from "@/strings/en";

import { chartOf, daysOf, type DayInterval } from "./intervals";
import { differenceText, intervalText, periodDay } from "./numbers";
import type { Verdict } from "./queries";

const words = t.experiments.chart;

interface Props {
  variant: Verdict["variants"][number];
  metric: string;
}

/** How the interval of a metric's difference narrows from day to day. */
export function IntervalsChart({ variant, metric }: Props) {
  const days = daysOf(variant, metric);
  const last = days.at(-1);
  if (!last) return <p className="text-sm text-muted">{words.none}</p>;
  const write = (value: number) => differenceText(metric, value);
  const named = t.experiments.metrics[metric] ?? metric;
  const summary = words.summary(named, days.length, intervalText(last, write), periodDay(last.day));
  return (
    <figure>
      <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-2">
        <Picture days={days} summary={summary} write={write} />
        <span />
        <div aria-hidden="true" className="mt-1 flex justify-between gap-2 text-xs text-muted">
          <span>{periodDay(days[0]?.day ?? Number.NaN)}</span>
          {days.length > 1 && <span className="text-right">{periodDay(last.day)}</span>}
        </div>
      </div>
      <figcaption className="mt-2 text-sm text-muted">{summary}</figcaption>
      <details className="mt-2 text-sm">
        <summary className="w-fit rounded-sm py-1 text-accent">{words.table}</summary>
        <table className="mt-2 w-full max-w-md">
          <thead>
            <tr className="border-b border-line text-left text-xs text-muted">
              <th scope="col" className="py-1 font-medium">
                {words.day}
              </th>
              <th scope="col" className="py-1 text-right font-medium">
                {words.interval}
              </th>
            </tr>
          </thead>
          <tbody>
            {days.map((one) => (
              <tr key={one.day} className="border-b border-line last:border-0">
                <th scope="row" className="py-1 text-left font-normal">
                  {periodDay(one.day)}
                </th>
                <td className="py-1 text-right">{intervalText(one, write)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

interface PictureProps {
  days: DayInterval[];
  summary: string;
  write: (value: number) => string;
}

function Picture({ days, summary, write }: PictureProps) {
  const { marks, zero, least, most } = chartOf(days);
  return (
    <>
      <div
        aria-hidden="true"
        className="flex flex-col justify-between text-right text-xs leading-none text-muted"
      >
        <span>{write(most)}</span>
        <span>{write(least)}</span>
      </div>
      <svg
        role="img"
        aria-label={summary}
        viewBox="0 0 100 100"
        preserveAspectRatio="none"
        className="h-40 w-full border-b border-l border-line-strong"
      >
        <line
          x1="0"
          x2="100"
          y1={zero}
          y2={zero}
          className="stroke-line-strong"
          vectorEffect="non-scaling-stroke"
        />
        {marks.map(({ day, x, top, bottom, middle }, place) => (
          <g key={day}>
            <line
              x1={x}
              x2={x}
              y1={top}
              y2={bottom}
              className="stroke-accent"
              strokeWidth="5"
              strokeOpacity="0.45"
              vectorEffect="non-scaling-stroke"
            >
              <title>{`${periodDay(day)}: ${intervalText(days[place] ?? null, write)}`}</title>
            </line>
            {middle !== null && (
              <line
                x1={x - 0.6}
                x2={x + 0.6}
                y1={middle}
                y2={middle}
                className="stroke-accent"
                strokeWidth="3"
                vectorEffect="non-scaling-stroke"
              />
            )}
          </g>
        ))}
      </svg>
    </>
  );
}
