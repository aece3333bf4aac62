import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { answer, api, type Schema } from "@/api/client";
import type { ListRequest } from "@/lib/listRequest";

export type Explanation = Schema<"ExplanationResponse">;
export type SimilarBy = Schema<"SimilarResponse">["by"];

/** Why an item is in the list of a request, or is not. Cheap ones leave out what runs the recommender again. */
export function useExplanation(
  request: ListRequest,
  itemId: string | null,
  depth: Explanation["depth"] = "full",
): UseQueryResult<Explanation> {
  return useQuery({
    queryKey: ["explanation", request, itemId, depth],
    queryFn: ({ signal }) => {
      const body = {
        ...request,
        item_id: itemId ?? "",
        depth,
        style: "paragraph" as const,
        sensitive: false,
      };
      return answer(api.POST("/explanations", { body, signal }));
    },
    enabled: itemId !== null,
  });
}

/** Items similar to one, and how the catalogue shows them. */
export function useSimilar(itemId: string, by: SimilarBy): UseQueryResult<Schema<"SimilarResponse">> {
  return useQuery({
    queryKey: ["similar", itemId, by],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/items/{item_id}/similar", {
          params: { path: { item_id: itemId }, query: { by, k: 20 } },
          signal,
        }),
      ),
  });
}

/** Pictures and categories of items, which lists do not carry; what they show needs no state of its own. */
export function useLooks(itemIds: string[]): Map<string, Schema<"FoundItem">> {
  const { data } = useQuery({
    queryKey: ["items-lookup", itemIds],
    queryFn: ({ signal }) => answer(api.POST("/items/lookup", { body: { item_ids: itemIds }, signal })),
    enabled: itemIds.length > 0,
  });
  return new Map(data?.items.map((item) => [item.item_id, item]));
}

/** Items of the catalogue whose titles begin as it was typed. */
export async function suggestItems(typed: string, signal: AbortSignal): Promise<Schema<"FoundItem">[]> {
  const query = { limit: 8, ...(typed.trim() && { query: typed.trim() }) };
  const { items } = await answer(api.GET("/items", { params: { query }, signal }));
  return items;
}

/** An item in a few words. */
export function useBlurb(itemId: string): UseQueryResult<Schema<"BlurbResponse">> {
  return useQuery({
    queryKey: ["blurb", itemId],
    queryFn: ({ signal }) =>
      answer(api.GET("/items/by-id/blurb", { params: { query: { item_id: itemId } }, signal })),
    staleTime: 300_000,
  });
}
