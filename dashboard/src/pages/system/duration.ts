import { t } from "@/strings/en";

const UNITS: [keyof typeof t.system.units, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** A time span in its two greatest units. */
export function durationText(seconds: number): string {
  let rest = Math.floor(seconds);
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0 && parts.length < 2) parts.push(`${count} ${t.system.units[unit]}`);
    else if (parts.length > 0) break;
  }
  return parts.join(" ") || `0 ${t.system.units.second}`;
}
