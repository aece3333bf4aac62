/** Moments between the address, which has them in UTC, and fields of the browser, which have local time without a zone. */

/** "2024-05-01T14:00" for a moment, in the browser's time zone; "" for what is none. */
export function localField(moment: string): string {
  const date = new Date(moment);
  if (moment === "" || Number.isNaN(date.getTime())) return "";
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The moment that a field of local time means, in UTC; "" for an empty one. */
export function momentOf(field: string): string {
  const date = new Date(field);
  return field === "" || Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
