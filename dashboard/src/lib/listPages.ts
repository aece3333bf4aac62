/** Pages of a list that is asked for with `k` and `offset`. */

/** Items of a page that can be chosen. The server gives no more than the last of these at once. */
export const LENGTHS = [12, 24, 48, 100];

/** The server leaves out no more items than so many from the top. */
const MAX_OFFSET = 900;

/** The last page of so many items that can be asked for; the first one is 1. */
export function lastPage(k: number): number {
  return Math.floor(MAX_OFFSET / k) + 1;
}

/** Where a page begins; one behind the last is the last. */
export function offsetOf(page: number, k: number): number {
  return (Math.min(page, lastPage(k)) - 1) * k;
}
