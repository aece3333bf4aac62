import { useQueryClient, type Query } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { ApiError } from "@/api/client";
import { useReady } from "@/api/queries";

const LOOK_EVERY_MS = 5_000;

/**
 * How the server is doing, looked at again and again; what is shown follows it.
 *
 * What could not be had while the server was away is asked for again as soon as it answers. With another bundle
 * everything is read anew, so that no page shows one bundle beside another.
 */
export function useServer(): ReturnType<typeof useReady> {
  const queries = useQueryClient();
  const ready = useReady(LOOK_EVERY_MS);
  const { isSuccess, dataUpdatedAt } = ready;
  const version = ready.data?.bundle.version;
  const seen = useRef(version);
  useEffect(() => {
    if (isSuccess)
      void queries.refetchQueries({ type: "active", predicate: canRecover }, { cancelRefetch: false });
  }, [queries, isSuccess, dataUpdatedAt]);
  useEffect(() => {
    if (version === undefined) return;
    const before = seen.current;
    seen.current = version;
    if (before !== undefined && before !== version)
      void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "ready" });
  }, [queries, version]);
  return ready;
}

/** Whether a query failed because the server was away, and may be tried again by now. */
export function canRecover({ state: { status, error, errorUpdatedAt } }: Pick<Query, "state">): boolean {
  if (status !== "error" || !(error instanceof ApiError)) return false;
  if (error.status !== 0 && error.status !== 503) return false;
  return Date.now() >= errorUpdatedAt + (error.retryAfterS ?? 0) * 1000;
}
