import { useState } from "react";

import { arrivals, rowKey, type HistoryRow } from "./history";

/** Rows that have come since they are watched; none where they are not. */
export function useArrivals(rows: HistoryRow[] | undefined, watched: boolean): HistoryRow[] {
  const [known, setKnown] = useState<ReadonlySet<string> | null>(null);
  if (watched && rows && known === null) setKnown(new Set(rows.map(rowKey)));
  if (!watched && known !== null) setKnown(null);
  return known && rows ? arrivals(known, rows) : [];
}
