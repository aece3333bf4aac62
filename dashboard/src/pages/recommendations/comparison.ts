/** What two lists for the same user have in common, and what moved. */

export interface Ranked {
  item_id: string;
  rank: number;
}

export type Place =
  /** In both lists; ranks that it is further up in the right one, negative: further down. */
  { in: "both"; left: number; right: number; up: number } | { in: "left" } | { in: "right" };

export interface Comparison {
  places: Map<string, Place>;
  both: number;
  up: number;
  down: number;
  same: number;
  onlyLeft: number;
  onlyRight: number;
  /** Items of both lists among all items of either (Jaccard), from 0 to 1; two empty lists are the same. */
  overlap: number;
}

export function compare(left: Ranked[], right: Ranked[]): Comparison {
  const places = new Map<string, Place>(left.map(({ item_id }) => [item_id, { in: "left" }]));
  const leftRanks = new Map(left.map(({ item_id, rank }) => [item_id, rank]));
  for (const { item_id, rank } of right) {
    const before = leftRanks.get(item_id);
    places.set(
      item_id,
      before === undefined ? { in: "right" } : { in: "both", left: before, right: rank, up: before - rank },
    );
  }
  const all = [...places.values()];
  const both = all.filter((place) => place.in === "both");
  return {
    places,
    both: both.length,
    up: both.filter(({ up }) => up > 0).length,
    down: both.filter(({ up }) => up < 0).length,
    same: both.filter(({ up }) => up === 0).length,
    onlyLeft: all.filter((place) => place.in === "left").length,
    onlyRight: all.filter((place) => place.in === "right").length,
    overlap: all.length > 0 ? both.length / all.length : 1,
  };
}
