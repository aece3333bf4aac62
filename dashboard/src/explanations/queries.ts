import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { answer, api, type Schema } from "@/api/client";
import type { ListRequest } from "@/lib/listRequest";

export type Explanation = Schema<"ExplanationResponse">;
export type SimilarBy = Schema<"SimilarResponse">["by"];

/** Why an item is in the list of a request, or is not. */
export function useExplanation(request: ListRequest, itemId: string): UseQueryResult<Explanation> {
  return useQuery({
    queryKey: ["explanation", request, itemId],
    queryFn: ({ signal }) => {
      const asked = { item_id: itemId, depth: "full", style: "paragraph", sensitive: false } as const;
      return answer(api.POST("/explanations", { body: { ...request, ...asked }, signal }));
    },
  });
}

/** The same without what runs the recommender again, compared with another item. */
export function useComparison(
  request: ListRequest,
  itemId: string,
  reference: string,
): UseQueryResult<Explanation> {
  return useQuery({
    queryKey: ["comparison", request, itemId, reference],
    queryFn: ({ signal }) => {
      const asked = {
        item_id: itemId,
        reference,
        depth: "cheap",
        style: "sentence",
        sensitive: false,
      } as const;
      return answer(api.POST("/explanations", { body: { ...request, ...asked }, signal }));
    },
  });
}

/** Items similar to one. */
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

/** An item in a few words. */
export function useBlurb(itemId: string): UseQueryResult<Schema<"BlurbResponse">> {
  return useQuery({
    queryKey: ["blurb", itemId],
    queryFn: ({ signal }) =>
      answer(api.GET("/items/by-id/blurb", { params: { query: { item_id: itemId } }, signal })),
    staleTime: 300_000,
  });
}
