/** Where the bars of a waterfall begin and end: from the reference's score, part by part, to the item's. */

import type { Schema } from "@/api/client";

type Explanation = Schema<"ExplanationResponse">;

export interface Step {
  group: string;
  value: number;
  from: number;
  to: number;
  /** The value in units of the last digit shown: all of them, and the start, add up to the end as it is shown. */
  units: number;
}

export interface Waterfall {
  start: number;
  /** The item's own number, that of the answer. */
  end: number;
  steps: Step[];
  /** Groups in which both items are alike. */
  same: string[];
  /** Digits after the point that are shown. */
  digits: number;
  startUnits: number;
  endUnits: number;
  low: number;
  high: number;
}

/** The waterfall of an answer; null where nothing was compared. */
export function waterfallOf(answer: Explanation): Waterfall | null {
  const { contributions, reference_score: start, contributions_of: of } = answer;
  const end = of === "source_sum" ? answer.source_sum : answer.score;
  if (!contributions || start === null || end === null) return null;
  return waterfall(start, contributions, end);
}

export function waterfall(start: number, parts: Schema<"ContributionPart">[], end: number): Waterfall {
  const changing = parts.filter(({ value }) => value !== 0);
  const ends = runningSums(
    start,
    changing.map(({ value }) => value),
  );
  const low = Math.min(start, end, ...ends);
  const high = Math.max(start, end, ...ends);
  const digits = digitsFor(high - low);
  const startUnits = unitsOf(start, digits);
  const endUnits = unitsOf(end, digits);
  const units = wholeParts(
    changing.map(({ value }) => value * 10 ** digits),
    endUnits - startUnits,
  );
  const steps = changing.map(({ group, value }, index) => ({
    group,
    value,
    from: index === 0 ? start : (ends[index - 1] ?? start),
    to: ends[index] ?? start,
    units: units[index] ?? 0,
  }));
  const same = parts.filter(({ value }) => value === 0).map(({ group }) => group);
  return { start, end, steps, same, digits, startUnits, endUnits, low, high };
}

/** So many digits that a hundredth of the span can be seen. */
export function digitsFor(span: number): number {
  if (!(span > 0)) return 2;
  return Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(span))));
}

/** A number in units of its last digit shown. */
export function unitsOf(value: number, digits: number): number {
  return Math.round(value * 10 ** digits);
}

/**
 * Whole numbers near the values that sum to the total (method of the largest remainder), so that what a person reads
 * adds up to the last digit.
 */
export function wholeParts(values: number[], total: number): number[] {
  const parts = values.map(Math.round);
  let missing = total - parts.reduce((sum, part) => sum + part, 0);
  const byRemainder = values
    .map((value, index) => ({ index, remainder: value - Math.round(value) }))
    .sort((one, other) => (missing > 0 ? other.remainder - one.remainder : one.remainder - other.remainder));
  for (let turn = 0; missing !== 0 && byRemainder.length > 0; turn += 1) {
    const place = byRemainder[turn % byRemainder.length];
    if (!place) break;
    parts[place.index] = (parts[place.index] ?? 0) + Math.sign(missing);
    missing -= Math.sign(missing);
  }
  return parts;
}

/** Place of a number between the lowest and the highest, from 0 to 100. */
export function placeOf(value: number, { low, high }: Pick<Waterfall, "low" | "high">): number {
  return high > low ? ((value - low) / (high - low)) * 100 : 0;
}

function runningSums(start: number, values: number[]): number[] {
  let sum = start;
  return values.map((value) => (sum += value));
}
