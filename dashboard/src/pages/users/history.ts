/** A history as months, the latest first. */

import type { Schema } from "@/api/client";
import { format } from "@/lib/format";

export type HistoryRow = Schema<"HistoryItem">;

export interface Month {
  /** The month as a person reads it; empty: nobody knows when. */
  label: string;
  rows: HistoryRow[];
}

/** Rows keep their order: a month that comes again after another is a group of its own. */
export function byMonth(rows: readonly HistoryRow[]): Month[] {
  const months: Month[] = [];
  for (const row of rows) {
    const label = row.at === null ? "" : monthText(row.at);
    const last = months.at(-1);
    if (last?.label === label) last.rows.push(row);
    else months.push({ label, rows: [row] });
  }
  return months;
}

function monthText(at: string): string {
  return format.date(at, { year: "numeric", month: "long", ...zoneOf(at) });
}

/** When it was: a day where no more is known, as in most datasets, else with its time. */
export function whenText(at: string): string {
  return format.date(at, {
    dateStyle: "medium",
    ...(isDay(at) ? {} : { timeStyle: "short" }),
    ...zoneOf(at),
  });
}

/** A day is the same wherever one reads it: it must not slip into the evening before. */
function zoneOf(at: string): { timeZone?: string } {
  return isDay(at) ? { timeZone: "UTC" } : {};
}

function isDay(at: string): boolean {
  return /T00:00:00(\.0+)?Z$/.test(at);
}

/** Names a row with what was done last to its item. */
export function rowKey({ item_id, at, action }: HistoryRow): string {
  return JSON.stringify([item_id, at, action]);
}

/**
 * Rows that have come since `known` was the history.
 *
 * Those behind the last known row are no news: they are older ones that a longer page shows.
 */
export function arrivals(known: ReadonlySet<string>, rows: readonly HistoryRow[]): HistoryRow[] {
  const last = rows.findLastIndex((row) => known.has(rowKey(row)));
  return rows.slice(0, last < 0 ? rows.length : last).filter((row) => !known.has(rowKey(row)));
}
