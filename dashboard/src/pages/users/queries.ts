import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { answer, api, type Schema } from "@/api/client";
import { orNull } from "@/api/notFound";
import { useChange } from "@/api/useChange";

export const ROWS = 20;
/** How often what is shown live is read anew. */
const LIVE_MS = 2_000;

export function useUsers(query: string, cursor: string) {
  return useQuery({
    queryKey: ["users", query, cursor],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/users", {
          params: { query: { limit: ROWS, ...(query && { query }), ...(cursor && { cursor }) } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/**
 * History and what follows from it, so many rows of it; null: nobody knows the user.
 *
 * It is read again and again while it is shown live.
 */
export function useProfile(userId: string, rows: number, live: boolean) {
  return useQuery({
    queryKey: ["profile", userId, rows],
    queryFn: ({ signal }) =>
      orNull(
        answer(
          api.GET("/users/{user_id}/profile", {
            params: { path: { user_id: userId }, query: { limit: rows } },
            signal,
          }),
        ),
      ),
    // More rows of the same user follow those that are shown.
    placeholderData: (before) => (before?.user_id === userId ? before : undefined),
    refetchInterval: live ? LIVE_MS : false,
  });
}

/** What the shop says of a user. */
export function useUser(userId: string) {
  return useQuery({
    queryKey: ["user", userId],
    queryFn: ({ signal }) =>
      answer(api.GET("/users/by-id", { params: { query: { user_id: userId } }, signal })),
  });
}

/** The first ten of the user's list, asked for anew where another number of events is known of the user. */
export function useLiveList(userId: string, events: number) {
  return useQuery({
    queryKey: ["live-list", userId, events],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/recommendations/{user_id}", {
          params: { path: { user_id: userId }, query: { k: 10, logged: false } },
          signal,
        }),
      ),
    placeholderData: (before) => (before?.user_id === userId ? before : undefined),
  });
}

/** Tell the server of something that the user did. */
export function useSendEvent() {
  return useChange({
    tell: (event: Schema<"EventBody">) => answer(api.POST("/events", { body: event })),
  });
}
