/** Orders in which parts of an explanation are shown. */

import type { Schema } from "@/api/client";

type Opinion = Schema<"SourceOpinionAnswer">;

/** Sources by what they give to the sum, those without a weight behind them by their rank of the item. */
export function byPart(sources: readonly Opinion[]): Opinion[] {
  const part = ({ score, weight }: Opinion) => Math.abs(score * weight);
  const rank = (opinion: Opinion) => opinion.rank ?? Infinity;
  return [...sources].sort((one, other) =>
    part(one) === part(other) ? compare(rank(one), rank(other)) : part(other) - part(one),
  );
}

/** What speaks against an item, the strongest first. */
export function againstFirst<T extends { value: number }>(parts: readonly T[]): T[] {
  return parts.filter(({ value }) => value < 0).sort((one, other) => one.value - other.value);
}

function compare(one: number, other: number): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
