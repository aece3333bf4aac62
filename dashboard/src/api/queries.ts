/** What several pages ask the server for; each question has one name in the cache, so that it is asked once. */

import { useQuery } from "@tanstack/react-query";

import { answer, api, type Schema } from "./client";

type Scope = Schema<"KeyResponse">["scopes"][number];

const SELDOM_ANOTHER_MS = 60_000;
/** A server that hangs takes connections, and says nothing. */
const PATIENCE_MS = 4_000;

/** How the server is doing; asked again and again by who wants that. */
export function useReady(everyMs: number | false = false) {
  return useQuery({
    queryKey: ["ready"],
    queryFn: () => answer(api.GET("/ready", { signal: AbortSignal.timeout(PATIENCE_MS) })),
    refetchInterval: everyMs,
    retry: false,
  });
}

/** The models that lists can be asked of. */
export function useModels() {
  return useQuery({
    queryKey: ["models"],
    queryFn: ({ signal }) => answer(api.GET("/models", { signal })),
    staleTime: SELDOM_ANOTHER_MS,
  });
}

/** What the key of this tab, or none, may do. */
export function useKey() {
  return useQuery({
    queryKey: ["key"],
    queryFn: ({ signal }) => answer(api.GET("/key", { signal })),
    staleTime: SELDOM_ANOTHER_MS,
  });
}

/** Whether it may do that; null: not known yet, or the server does not say. */
export function useMay(scope: Scope): boolean | null {
  const { data } = useKey();
  return data ? data.scopes.includes(scope) : null;
}
