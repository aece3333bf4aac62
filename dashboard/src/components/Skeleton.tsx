import type { ReactNode } from "react";

import { t } from "@/strings/en";

/** Grey shapes in the place of what is on its way. */
export function Skeleton({ className = "" }: { className?: string }) {
  return <div aria-hidden="true" className={`animate-pulse rounded-md bg-sunken ${className}`} />;
}

/** Lines of a table or a text. */
export function SkeletonLines({ lines = 5 }: { lines?: number }) {
  return (
    <Loading>
      <div className="space-y-3">
        {Array.from({ length: lines }, (_, index) => (
          <Skeleton key={index} className="h-5 w-full" />
        ))}
      </div>
    </Loading>
  );
}

/** Cards in the grid of lists. */
export function SkeletonCards({ cards = 6 }: { cards?: number }) {
  return (
    <Loading>
      <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
        {Array.from({ length: cards }, (_, index) => (
          <Skeleton key={index} className="h-64 rounded-xl" />
        ))}
      </div>
    </Loading>
  );
}

/** In the place of a whole page, and so with the heading that every page has. */
export function PageSkeleton() {
  return (
    <Loading word="h1">
      <Skeleton className="mb-6 h-8 w-64" />
      <Skeleton className="mb-4 h-24 w-full" />
      <Skeleton className="h-96 w-full" />
    </Loading>
  );
}

export function Loading({ word: Word = "span", children }: { word?: "span" | "h1"; children: ReactNode }) {
  return (
    <div aria-busy="true" data-state="loading">
      <Word className="sr-only">{t.states.loading}</Word>
      {children}
    </div>
  );
}
