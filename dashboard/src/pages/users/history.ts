/** A history as months, the latest first. */

import type { Schema } from "@/api/client";

export type HistoryRow = Schema<"HistoryItem">;

export interface Month {
  /** Such as "2016-04"; empty: nobody knows when. */
  key: string;
  /** The month as a person reads it; empty as the key is. */
  label: string;
  rows: HistoryRow[];
}

const locale = navigator.language;

/** Rows keep their order: a month that comes again after another is a group of its own. */
export function byMonth(rows: readonly HistoryRow[]): Month[] {
  const months: Month[] = [];
  for (const row of rows) {
    const { key, label } = monthOf(row.at);
    const last = months.at(-1);
    if (last?.key === key) last.rows.push(row);
    else months.push({ key, label, rows: [row] });
  }
  return months;
}

function monthOf(at: string | null): { key: string; label: string } {
  if (at === null) return { key: "", label: "" };
  const time = new Date(at);
  const zone = zoneOf(at);
  const parts = new Intl.DateTimeFormat("en-CA", {
    year: "numeric",
    month: "2-digit",
    ...zone,
  }).formatToParts(time);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return {
    key: `${part("year")}-${part("month")}`,
    label: new Intl.DateTimeFormat(locale, { year: "numeric", month: "long", ...zone }).format(time),
  };
}

/** When it was: a day where no more is known, as in most datasets, else with its time. */
export function whenText(at: string): string {
  return new Intl.DateTimeFormat(locale, {
    dateStyle: "medium",
    ...(isDay(at) ? {} : { timeStyle: "short" }),
    ...zoneOf(at),
  }).format(new Date(at));
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
