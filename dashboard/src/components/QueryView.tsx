import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Failure } from "./Failure";
import { Notice } from "./Notice";
import { SkeletonLines } from "./Skeleton";
import { failureText } from "./failureText";
import { t } from "@/strings/en";

interface Props<T> {
  query: UseQueryResult<T>;
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/** What a query gives, in each of its states: on its way, failed, there, and there but of before since it failed anew. */
export function QueryView<T>({ query, skeleton = <SkeletonLines />, children }: Props<T>) {
  const { data, error, isFetching, refetch, errorUpdateCount } = query;
  if (data === undefined) {
    if (error)
      return (
        <Failure
          error={error}
          retry={() => void refetch()}
          retrying={isFetching}
          failures={errorUpdateCount}
        />
      );
    return skeleton;
  }
  return (
    <>
      {error && (
        <div className="mb-4" data-state="stale">
          <Notice tone="warn">
            {t.states.stale} {failureText(error).title}
          </Notice>
        </div>
      )}
      {children(data)}
    </>
  );
}
