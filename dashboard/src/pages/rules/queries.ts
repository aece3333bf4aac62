/** What the page asks the server for, and tells it. */

import {
  keepPreviousData,
  skipToken,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";

import { answer, api, type Schema } from "@/api/client";
import { orNull } from "@/api/notFound";
import { useChange } from "@/api/useChange";
import { useForgetRefusal } from "@/api/useForgetRefusal";

import type { RuleRow, RuleTerms } from "./rule";

export function useRules() {
  return useQuery({
    queryKey: ["rules"],
    queryFn: ({ signal }) => answer(api.GET("/rules", { signal })),
  });
}

/** The trail of changes, of one rule or of all. */
export function useRuleChanges(ruleId: string) {
  return useInfiniteQuery({
    queryKey: ["rule-changes", ruleId],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/rule-changes", {
          params: {
            query: { limit: 20, ...(ruleId && { rule_id: ruleId }), ...(pageParam && { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
}

export type PreviewRequest = Pick<
  Schema<"PreviewBody">,
  "user_ids" | "seed" | "sample" | "scenario" | "context" | "rules" | "as_of" | "show"
>;
export type Preview = Schema<"PreviewResponse">;

/** What rules would do; null: there is nothing to try. What was told before stays until the answer is there. */
export function usePreview(request: PreviewRequest | null) {
  return useQuery({
    queryKey: ["rules", "preview", request],
    queryFn: request
      ? ({ signal }) =>
          answer(
            api.POST("/rules/preview", {
              body: { ...PREVIEW_DEFAULTS, ...request },
              signal,
            }),
          )
      : skipToken,
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });
}

const PREVIEW_DEFAULTS = { stored: true, parts: "tried", k: 10, exclude_seen: true } as const;

/** The rule as it is now; null: there is none. */
export async function ruleNow(id: string): Promise<RuleRow | null> {
  const found = await orNull(answer(api.GET("/rules/{rule_id}", { params: { path: { rule_id: id } } })));
  return found && found.rule;
}

export interface Change {
  id: string;
  terms: RuleTerms;
  /** Of the rule that was read; null: the store holds none of this id. */
  version: number | null;
}

export function useSaveRule() {
  const queries = useQueryClient();
  const mutation = useChange({
    tell: ({ id, terms, version }: Change) =>
      answer(
        api.PUT("/rules/{rule_id}", {
          params: { path: { rule_id: id }, header: readAs(version) },
          body: terms,
        }),
      ),
    // Every list may be another one now.
    onSuccess: () => void queries.invalidateQueries(),
    // Where somebody was faster, the list shows what there is now.
    onError: () => void queries.invalidateQueries({ queryKey: ["rules"], exact: true }),
  });
  useForgetRefusal(mutation.reset);
  return mutation;
}

export function useDeleteRule() {
  const queries = useQueryClient();
  const mutation = useChange({
    tell: ({ id, version }: { id: string; version: number | null }) =>
      answer(
        api.DELETE("/rules/{rule_id}", {
          params: {
            path: { rule_id: id },
            ...(version !== null && { header: { "if-match": `"${version}"` } }),
          },
        }),
      ),
    onSuccess: () => void queries.invalidateQueries(),
    // Where somebody was faster, the list shows what there is now.
    onError: () => void queries.invalidateQueries({ queryKey: ["rules"], exact: true }),
  });
  useForgetRefusal(mutation.reset);
  return mutation;
}

const readAs = (version: number | null) =>
  version === null ? { "if-none-match": "*" } : { "if-match": `"${version}"` };
