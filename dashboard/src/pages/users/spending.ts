/** A user's mean price among the quarters of all users, as places on an axis of which each quarter takes a fourth. */

import type { Schema } from "@/api/client";

/** From the lowest mean prices to the highest. */
export const SEGMENTS = ["small", "low_average", "average", "high"] as const;
export type Segment = (typeof SEGMENTS)[number];

/**
 * Where the mean price stands, from 0 to 1.
 *
 * Within a quarter it is where it is between the two bounds; the last one has no upper bound, so that the place comes
 * the nearer to the end the higher the price is. Null where bounds or price are not known.
 */
export function placeOf({ mean_price: mean, segment, quartiles }: Schema<"SpendingResponse">): number | null {
  const [low, middle, high] = quartiles;
  if (mean === null || !segment || low === undefined || middle === undefined || high === undefined)
    return null;
  const within: Record<Segment, number> = {
    small: between(mean, 0, low),
    low_average: between(mean, low, middle),
    average: between(mean, middle, high),
    high: mean > 0 ? Math.max(0, 1 - high / mean) : 0,
  };
  return (SEGMENTS.indexOf(segment) + within[segment]) / SEGMENTS.length;
}

function between(value: number, from: number, to: number): number {
  if (to <= from) return 0.5;
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}
