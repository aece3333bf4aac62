/** Moments between the API, which has them in UTC, and fields of the browser, which have local time without a zone. */

/** "2024-05-01T14:00" for a moment, in the browser's time zone, with seconds where it has any; "" for what is none. */
export function localField(moment: string | null | undefined): string {
  const date = new Date(moment ?? "");
  if (Number.isNaN(date.getTime())) return "";
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, date.getUTCSeconds() === 0 ? 16 : 19);
}

/** The moment that a field of local time means, in UTC; "" for an empty one. */
export function momentOf(field: string): string {
  const date = new Date(field);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace(".000Z", "Z");
}
