/** Numbers of periods as columns. */

import type { Schema } from "@/api/client";
import { format } from "@/lib/format";

export type Period = Schema<"PopularityResponse">["period"];
export type Count = Schema<"PopularityResponse">["counts"][number];

/** Round numbers from 1 to 10, of which the tenfold and so on are round, too. */
const ROUND = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The least whole round number that is no less: the top of an axis. */
export function topOf(most: number): number {
  if (most <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  const tops = ROUND.map((factor) => factor * power);
  return tops.find((top) => Number.isInteger(top) && top >= most) ?? 10 * power;
}

export interface Column {
  x: number;
  y: number;
  width: number;
  height: number;
}

const GAP = 0.2;

/** Columns in a box of 100 by 100, whose origin is the upper left corner; what is not 0 can be seen. */
export function columnsOf(counts: readonly number[], top: number): Column[] {
  const step = 100 / Math.max(1, counts.length);
  return counts.map((count, index) => {
    const height = count === 0 ? 0 : Math.max(1, (count / top) * 100);
    return { x: step * (index + GAP / 2), y: 100 - height, width: step * (1 - GAP), height };
  });
}

/** The period that begins at a date, such as 2014-03-01. Dates have no time zone: they are read as they are written. */
export function periodText(start: string, period: Period): string {
  const day = `${start.slice(0, 10)}T00:00:00Z`;
  const written = (options: Intl.DateTimeFormatOptions) => format.date(day, { timeZone: "UTC", ...options });
  switch (period) {
    case "year":
      return written({ year: "numeric" });
    case "quarter":
      return `Q${Math.floor(new Date(day).getUTCMonth() / 3) + 1} ${written({ year: "numeric" })}`;
    case "month":
      return written({ month: "short", year: "numeric" });
    default:
      return written({ dateStyle: "medium" });
  }
}

/** The first of the highest. */
export function peakOf(counts: readonly Count[]): Count | null {
  return counts.reduce<Count | null>(
    (peak, count) => (peak === null || count.interactions > peak.interactions ? count : peak),
    null,
  );
}
