/** What changed between two states of a list. */

export type Change = "same" | "up" | "down" | "new";

export interface Moved<Row> {
  row: Row;
  /** From 1. */
  rank: number;
  /** Before; null where it was not in the list. */
  rankBefore: number | null;
  change: Change;
}

export interface Comparison<Row> {
  rows: Moved<Row>[];
  /** What was in the list and is no more. */
  gone: Row[];
}

export function compareLists<Row>(
  before: readonly Row[],
  after: readonly Row[],
  idOf: (row: Row) => string,
): Comparison<Row> {
  const ranks = new Map(before.map((row, index) => [idOf(row), index + 1]));
  const rows = after.map((row, index) => {
    const rank = index + 1;
    const rankBefore = ranks.get(idOf(row)) ?? null;
    return { row, rank, rankBefore, change: changeOf(rank, rankBefore) };
  });
  const left = new Set(after.map(idOf));
  return { rows, gone: before.filter((row) => !left.has(idOf(row))) };
}

function changeOf(rank: number, before: number | null): Change {
  if (before === null) return "new";
  if (before === rank) return "same";
  return rank < before ? "up" : "down";
}

/** How many rows changed in which way. */
export function countChanges<Row>({ rows, gone }: Comparison<Row>): {
  moved: number;
  added: number;
  gone: number;
} {
  const count = (...changes: Change[]) => rows.filter(({ change }) => changes.includes(change)).length;
  return { moved: count("up", "down"), added: count("new"), gone: gone.length };
}
