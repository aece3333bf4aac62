/** Intervals of the days of an experiment, as marks in a box. */

import type { Estimate, Verdict } from "./queries";

export interface DayInterval {
  day: number;
  low: number;
  high: number;
  /** The difference itself; null where there is none. */
  middle: number | null;
}

/** The interval of a metric's difference on each day that has one. */
export function daysOf(variant: Verdict["variants"][number], metric: string): DayInterval[] {
  return variant.looks.flatMap((look) => {
    const estimate = look.metrics.find((one) => one.metric === metric);
    const interval = estimate && intervalOf(estimate);
    return interval ? [{ day: look.day, ...interval }] : [];
  });
}

function intervalOf(estimate: Estimate): Omit<DayInterval, "day"> | null {
  const { interval, difference } = estimate;
  return interval && { low: interval.low, high: interval.high, middle: difference };
}

export interface Mark {
  day: number;
  x: number;
  top: number;
  bottom: number;
  /** Of the difference. */
  middle: number | null;
}

export interface Chart {
  marks: Mark[];
  /** Where no difference is. */
  zero: number;
  least: number;
  most: number;
}

/** What most days fit into: the first intervals are so wide that beside them no other would be seen. */
const CUT = 4;

/** Days from left to right in a box of 100 by 100 whose origin is the upper left corner; what is wider is cut off. */
export function chartOf(days: readonly DayInterval[]): Chart {
  const last = days.at(-1);
  const reach = last ? CUT * Math.max(Math.abs(last.low), Math.abs(last.high)) || 1 : 1;
  const least = Math.min(0, ...days.map(({ low }) => Math.max(low, -reach)));
  const most = Math.max(0, ...days.map(({ high }) => Math.min(high, reach)));
  const height = (value: number) =>
    100 * (1 - (Math.min(most, Math.max(least, value)) - least) / (most - least || 1));
  const step = 100 / Math.max(1, days.length);
  return {
    marks: days.map(({ day, low, high, middle }, index) => ({
      day,
      x: step * (index + 0.5),
      top: height(high),
      bottom: height(low),
      middle: middle === null ? null : height(middle),
    })),
    zero: height(0),
    least,
    most,
  };
}
