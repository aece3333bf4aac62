/** What the catalogue says of the items of a list: pictures, categories, popularity. */

import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";

import { answer, api, type Schema } from "./client";

/** By the id of the item. */
export type Cards = ReadonlyMap<string, Schema<"FoundItem">>;

interface LookedUp {
  cards: Cards;
  /** Ids that no item bears. */
  unknown: string[];
}

const NOTHING: LookedUp = { cards: new Map(), unknown: [] };
const AT_ONCE = 100;

/** Pages can do without: as long as nothing is known there is nothing in it. */
export function useCards(itemIds: string[]): LookedUp {
  const { data } = useQuery({
    queryKey: ["cards", itemIds],
    queryFn: itemIds.length > 0 ? ({ signal }) => lookUp(itemIds, signal) : skipToken,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  return data ?? NOTHING;
}

async function lookUp(itemIds: string[], signal: AbortSignal): Promise<LookedUp> {
  const parts: string[][] = [];
  for (let start = 0; start < itemIds.length; start += AT_ONCE)
    parts.push(itemIds.slice(start, start + AT_ONCE));
  const answers = await Promise.all(
    parts.map((item_ids) => answer(api.POST("/items/lookup", { body: { item_ids }, signal }))),
  );
  return {
    cards: new Map(answers.flatMap(({ items }) => items).map((item) => [item.item_id, item])),
    unknown: answers.flatMap(({ unknown_items }) => unknown_items),
  };
}
