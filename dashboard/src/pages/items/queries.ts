import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/api/client";

import type { Asked } from "./search";

const READING_MS = 2_000;
const LATEST_CHANGES = 100;

export function useSearch(asked: Asked) {
  return useQuery({
    queryKey: ["items", asked],
    queryFn: ({ signal }) => answer(api.GET("/items", { params: { query: asked }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** What is known of an item. While its text is being read it is asked for again and again. */
export function useItem(itemId: string) {
  return useQuery({
    queryKey: ["item", itemId],
    // Ids may look like other addresses: they are in the query.
    queryFn: ({ signal }) =>
      answer(api.GET("/items/by-id", { params: { query: { item_id: itemId } }, signal })),
    refetchInterval: ({ state }) => (state.data?.live?.state === "encoding" ? READING_MS : false),
  });
}

/** What the shop said when it deleted an item; null: it did not, or so many other changes came since. */
export function useDeletion(itemId: string) {
  return useQuery({
    queryKey: ["item-deletion", itemId],
    queryFn: async ({ signal }) => {
      const changes = await answer(
        api.GET("/item-changes", { params: { query: { limit: LATEST_CHANGES } }, signal }),
      );
      return changes.items.find((row) => row.item_id === itemId && row.state === "deleted") ?? null;
    },
  });
}

/** How often people had to do with the item, period by period. */
export function usePopularity(itemId: string) {
  return useQuery({
    queryKey: ["item-popularity", itemId],
    queryFn: ({ signal }) =>
      answer(api.GET("/items/by-id/popularity", { params: { query: { item_id: itemId } }, signal })),
    staleTime: 300_000,
  });
}
