/** What the page asks the server for. */

import { useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import { useChange } from "@/api/useChange";
import { useForgetRefusal } from "@/api/useForgetRefusal";

const LOOK_EVERY_MS = 5_000;

/** Sizes, times and the store; again and again while the page is live. */
export function useStats(live: boolean) {
  return useQuery({
    queryKey: ["stats"],
    queryFn: ({ signal }) => answer(api.GET("/stats", { signal })),
    refetchInterval: live ? LOOK_EVERY_MS : false,
  });
}

export function useConfig() {
  return useQuery({
    queryKey: ["config"],
    queryFn: ({ signal }) => answer(api.GET("/config", { signal })),
    staleTime: Infinity,
  });
}

/** The page of the bundle's evaluation, once a person wants to see it. */
export function useReport(wanted: boolean) {
  return useQuery({
    queryKey: ["report"],
    queryFn: ({ signal }) => answer(api.GET("/report", { signal, parseAs: "text" })),
    enabled: wanted,
    retry: false,
    staleTime: 60_000,
  });
}

export function useReload() {
  const queries = useQueryClient();
  const mutation = useChange({
    tell: () => answer(api.POST("/admin/reload")),
    onSuccess: () => void queries.invalidateQueries(),
  });
  useForgetRefusal(mutation.reset);
  return mutation;
}
