/** Orders in which parts of an explanation are shown. */

import type { Schema } from "@/api/client";

type Opinion = Schema<"SourceOpinionAnswer">;

/** A source that has a score of the item. */
export type Score = Opinion & { rank: number };

/** Sources with a score by what they give to the sum, those of no weight by their rank; and those without a score. */
export function byPart(sources: readonly Opinion[]): { scores: Score[]; silent: string[] } {
  const part = ({ score, weight }: Opinion) => Math.abs(score * weight);
  const scores = sources
    .filter((source): source is Score => source.rank !== null)
    .sort((one, other) => part(other) - part(one) || one.rank - other.rank);
  const silent = sources.filter(({ rank }) => rank === null).map(({ source }) => source);
  return { scores, silent };
}

/** What speaks against an item, the strongest first. */
export function againstFirst<T extends { value: number }>(parts: readonly T[]): T[] {
  return parts.filter(({ value }) => value < 0).sort((one, other) => one.value - other.value);
}
