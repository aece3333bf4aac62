/** What the page asks the server for. */

import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";

import { answer, api, type Schema } from "@/api/client";
import type { ListRequest } from "@/lib/listRequest";

import type { Cards } from "./listOrder";

export type List = Schema<"RecommendationResponse">;

/** The list of a request. While another one is on its way, the one of before stays. */
export function useList(request: ListRequest | null) {
  return useQuery({
    queryKey: ["recommendations", request],
    queryFn: request ? ({ signal }) => list(request, signal) : skipToken,
    placeholderData: keepPreviousData,
  });
}

async function list(request: ListRequest, signal: AbortSignal): Promise<List> {
  const { user_id, history = [], ...wanted } = request;
  const asked = { ...wanted, explain: "cheap" as const };
  if (user_id !== undefined)
    return answer(
      api.GET("/recommendations/{user_id}", { params: { path: { user_id }, query: asked }, signal }),
    );
  const { results } = await answer(api.POST("/recommendations", { body: { ...asked, history }, signal }));
  const [ofSession] = results;
  if (!ofSession) throw new Error("the answer holds no list");
  return ofSession;
}

const NO_CARDS: Cards = new Map();
const LOOKED_UP_AT_ONCE = 100;

/** What the catalogue says of items. A page can do without: as long as nothing is known there is nothing in it. */
export function useCards(itemIds: string[]): { cards: Cards; unknown: string[] } {
  const { data } = useQuery({
    queryKey: ["cards", itemIds],
    queryFn: itemIds.length > 0 ? ({ signal }) => lookUp(itemIds, signal) : skipToken,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  return data ?? { cards: NO_CARDS, unknown: [] };
}

async function lookUp(itemIds: string[], signal: AbortSignal): Promise<{ cards: Cards; unknown: string[] }> {
  const parts: string[][] = [];
  for (let start = 0; start < itemIds.length; start += LOOKED_UP_AT_ONCE)
    parts.push(itemIds.slice(start, start + LOOKED_UP_AT_ONCE));
  const answers = await Promise.all(
    parts.map((item_ids) => answer(api.POST("/items/lookup", { body: { item_ids }, signal }))),
  );
  return {
    cards: new Map(answers.flatMap(({ items }) => items).map((item) => [item.item_id, item])),
    unknown: answers.flatMap(({ unknown_items }) => unknown_items),
  };
}

export function useModels() {
  return useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => answer(api.GET("/models", { signal })),
    staleTime: 60_000,
  });
}

/** A few users to begin with. */
export function useSomeUsers(limit: number) {
  return useQuery({
    queryKey: ["users", "some", limit],
    queryFn: ({ signal }) => answer(api.GET("/users", { params: { query: { limit } }, signal })),
    staleTime: 60_000,
  });
}

/** A few items that a new visitor may begin with. */
export function usePopularItems(k: number) {
  return useQuery({
    queryKey: ["popular", "some", k],
    queryFn: ({ signal }) => answer(api.GET("/items/popular", { params: { query: { k } }, signal })),
    staleTime: 60_000,
  });
}
