/** Numbers of metrics and days of verdicts, as the page writes them. */

import { format } from "@/lib/format";

const SHARES = new Set(["ctr", "add_to_cart_rate", "conversion_rate", "fallback_rate", "brand_variety"]);
const SECONDS_PER_DAY = 86_400;

/** A value of a metric, or a difference of two, with its unit. */
export function metricText(
  metric: string,
  value: number,
  signDisplay: "auto" | "exceptZero" = "auto",
): string {
  if (SHARES.has(metric)) return format.significantShare(value, 3, signDisplay);
  if (metric === "latency_ms") return `${format.significant(value, 3, signDisplay)}\u00a0ms`;
  return format.significant(value, 3, signDisplay);
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
