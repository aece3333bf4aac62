/** Numbers of metrics and days of verdicts, as the page writes them. */

import { format } from "@/lib/format";
import { t } from "@/strings/en";

const SHARES = new Set(["ctr", "add_to_cart_rate", "conversion_rate", "fallback_rate", "brand_variety"]);
const SECONDS_PER_DAY = 86_400;

/** A value of a metric, with its unit. */
export function metricText(metric: string, value: number): string {
  return SHARES.has(metric) ? format.significantShare(value, 3) : plainText(metric, value, "auto");
}

/** A difference of two values of a metric, with its sign and unit: those of shares are in percentage points. */
export function differenceText(metric: string, value: number): string {
  if (SHARES.has(metric)) return t.experiments.points(format.significant(100 * value, 3, "exceptZero"));
  return plainText(metric, value, "exceptZero");
}

function plainText(metric: string, value: number, signDisplay: "auto" | "exceptZero"): string {
  const number = format.significant(value, 3, signDisplay);
  return metric === "latency_ms" ? `${number}\u00a0ms` : number;
}

/** A day that is counted from 1970 on, in UTC. */
export function periodDay(day: number): string {
  if (!Number.isFinite(day)) return "";
  return format.date(new Date(1000 * SECONDS_PER_DAY * day).toISOString(), {
    dateStyle: "medium",
    timeZone: "UTC",
  });
}

/** From one number to another; empty where there is no interval. */
export function intervalText(
  interval: { low: number; high: number } | null,
  write: (value: number) => string,
): string {
  return interval ? `${write(interval.low)} … ${write(interval.high)}` : "–";
}

/** A share with its sign. */
export function signedShare(value: number): string {
  return format.significantShare(value, 3, "exceptZero");
}
