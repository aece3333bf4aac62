import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/api/client";

import type { Asked } from "./search";

export function useSearch(asked: Asked) {
  return useQuery({
    queryKey: ["items", asked],
    queryFn: ({ signal }) => answer(api.GET("/items", { params: { query: asked }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Ids may look like other addresses: they are in the query. */
export function useItem(itemId: string) {
  return useQuery({
    queryKey: ["item", itemId],
    queryFn: ({ signal }) =>
      answer(api.GET("/items/by-id", { params: { query: { item_id: itemId } }, signal })),
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
