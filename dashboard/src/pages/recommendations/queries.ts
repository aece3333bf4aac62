/** What the page asks the server for. */

import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";

import { answer, api, type Schema } from "@/api/client";
import type { ListRequest } from "@/lib/listRequest";

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
  // Whoever looks at a list here is not its user: it must not count as shown.
  const asked = { ...wanted, explain: "cheap" as const, logged: false };
  if (user_id !== undefined)
    return answer(
      api.GET("/recommendations/{user_id}", { params: { path: { user_id }, query: asked }, signal }),
    );
  const { results } = await answer(api.POST("/recommendations", { body: { ...asked, history }, signal }));
  const [ofSession] = results;
  if (!ofSession) throw new Error("the answer holds no list");
  return ofSession;
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
