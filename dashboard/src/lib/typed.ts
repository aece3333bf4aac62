/** What a person typed, in a field or in an address, as numbers. */

/** A price; null: it is none. */
export function priceOf(text: string): number | null {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(value) && value >= 0 ? value : null;
}

/** A whole number from 1; what is none is 1. */
export function countOf(text: string): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 ? value : 1;
}
