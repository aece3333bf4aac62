/** What the page asks the server for, and tells it. */

import { keepPreviousData, skipToken, useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, api, type Schema } from "@/api/client";
import { useChange } from "@/api/useChange";
import { useForgetRefusal } from "@/api/useForgetRefusal";

export type ExperimentRow = Schema<"ExperimentRow">;
export type Terms = Schema<"ExperimentTerms">;
export type Results = Schema<"ResultsResponse">;
export type Verdict = Schema<"Verdict">;
export type Reason = Schema<"Reason">;
export type Estimate = Schema<"Estimate">;

export function useExperiments() {
  return useQuery({
    queryKey: ["experiments"],
    queryFn: ({ signal }) => answer(api.GET("/experiments", { signal })),
  });
}

/** What came of an experiment; nothing is asked of a draft, of which nothing can have come. */
export function useResults(row: ExperimentRow) {
  return useQuery({
    queryKey: ["experiments", row.key, "results", row.version, row.status],
    queryFn:
      row.started_at === null
        ? skipToken
        : ({ signal }) =>
            answer(api.GET("/experiments/{key}/results", { params: { path: { key: row.key } }, signal })),
    staleTime: 10_000,
  });
}

/** An experiment as it was read, for what is done to it: refused where somebody was faster. */
const asRead = ({ key, change }: ExperimentRow) => ({
  path: { key },
  header: { "if-match": `"${change}"` },
});

export interface Saving {
  key: string;
  terms: Terms;
  /** The experiment that was read; null: there is none of this key. */
  read: ExperimentRow | null;
}

export function useSaveExperiment() {
  return useExperimentChange(({ key, terms, read }: Saving) =>
    answer(
      api.PUT("/experiments/{key}", {
        params: read ? asRead(read) : { path: { key }, header: { "if-none-match": "*" } },
        body: terms,
      }),
    ),
  );
}

export function useStartExperiment() {
  return useExperimentChange((row: ExperimentRow) =>
    answer(api.POST("/experiments/{key}/start", { params: asRead(row) })),
  );
}

export function useStopExperiment() {
  return useExperimentChange((row: ExperimentRow) =>
    answer(api.POST("/experiments/{key}/stop", { params: asRead(row) })),
  );
}

export function useDeleteExperiment() {
  return useExperimentChange(
    (row: ExperimentRow) => answer(api.DELETE("/experiments/{key}", { params: asRead(row) })),
    // Its results are no more: to ask for them would fail.
    (row, [subject, key]) => subject === "experiments" && key === row.key,
  );
}

function useExperimentChange<Data, Told>(
  tell: (told: Told) => Promise<Data>,
  isGone: (told: Told, key: readonly unknown[]) => boolean = () => false,
) {
  const queries = useQueryClient();
  const mutation = useChange({
    tell,
    // Every list may be another one now.
    onSuccess: (_, told) =>
      void queries.invalidateQueries({ predicate: ({ queryKey }) => !isGone(told, queryKey) }),
    // Where somebody was faster, the page shows what there is now.
    onError: () => void queries.invalidateQueries({ queryKey: ["experiments"] }),
  });
  useForgetRefusal(mutation.reset);
  return mutation;
}

export type Outcomes = Schema<"OutcomesResponse">;
export type OutcomeCounts = Schema<"OutcomeCounts">;
export type Dimension = Schema<"OutcomeTable">["by"];
export const DIMENSIONS: readonly Dimension[] = [
  "variant",
  "model",
  "bundle",
  "source",
  "position",
  "segment",
  "scenario",
  "fallback",
  "explain",
  "day",
];

/** What came of the lists of the last week, by what made them. */
export function useOutcomes(by: Dimension) {
  return useQuery({
    queryKey: ["outcomes", by],
    queryFn: ({ signal }) => answer(api.GET("/stats/outcomes", { params: { query: { by: [by] } }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
}
