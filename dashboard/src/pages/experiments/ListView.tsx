import { Plus } from "lucide-react";
import { Link } from "wouter";

import { Badge } from "@/components/Badge";
import { buttonLook } from "@/components/Button";
import { EmptyState } from "@/components/EmptyState";
import { Notice } from "@/components/Notice";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { OutcomesCard } from "./OutcomesCard";
import { useExperiments, useResults, type ExperimentRow } from "./queries";
import { STATE_TONES } from "./ResultsPart";
import { termsOf, titleOf, usersText } from "./terms";

const words = t.experiments;
export const STATUS_TONES = { draft: "plain", running: "good", stopped: "accent", fault: "bad" } as const;

/** All experiments of the shop, and what comes of lists. */
export function ListView() {
  const experiments = useExperiments();
  return (
    <>
      <PageHeading title={words.title} lead={words.lead}>
        <Link href="/experiments?new=1" className={buttonLook("primary")}>
          <Plus aria-hidden="true" className="size-4" />
          {words.add}
        </Link>
      </PageHeading>
      <div className="space-y-6">
        <QueryView query={experiments}>
          {({ experiments: rows, source }) => (
            <div className="space-y-4">
              {words.sources[source] && <Notice tone="warn">{words.sources[source]}</Notice>}
              {rows.length === 0 ? (
                <EmptyState title={words.none}>
                  <p className="mb-3 max-w-prose">{words.noneHint}</p>
                  <Link href="/experiments?new=1" className={buttonLook("primary")}>
                    {words.add}
                  </Link>
                </EmptyState>
              ) : (
                <ul aria-label={words.list} className="space-y-3">
                  {rows.map((row) => (
                    <Row key={row.key} row={row} />
                  ))}
                </ul>
              )}
            </div>
          )}
        </QueryView>
        <OutcomesCard />
      </div>
    </>
  );
}

function Row({ row }: { row: ExperimentRow }) {
  const terms = termsOf(row);
  return (
    <li className="rounded-xl border border-line bg-surface p-4">
      <h2 className="font-medium wrap-anywhere">
        <Link
          href={`/experiments?experiment=${encodeURIComponent(row.key)}`}
          className="text-accent underline-offset-2 hover:underline"
        >
          {titleOf(row)}
        </Link>
      </h2>
      <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
        <Badge tone={STATUS_TONES[row.status]}>{words.statuses[row.status]}</Badge>
        {row.status === "running" && <StateBadge row={row} />}
        <span className="font-mono wrap-anywhere">{row.key}</span>
        <span>{words.version(format.count(row.version))}</span>
        {row.started_at && <span>{words.since(format.time(row.started_at))}</span>}
        {row.stopped_at && <span>{words.until(format.time(row.stopped_at))}</span>}
      </p>
      {row.fault && <p className="mt-1 text-sm text-bad">{row.fault}</p>}
      {terms && (
        <p className="mt-1 text-sm text-muted">
          {terms.variants.map(({ name }) => name).join(words.versus)} · {usersText(terms)}
        </p>
      )}
    </li>
  );
}

/** The state of a running experiment's verdict, once it is known; the experiment itself says why it is not. */
function StateBadge({ row }: { row: ExperimentRow }) {
  const verdict = useResults(row).data?.verdict;
  return verdict ? <Badge tone={STATE_TONES[verdict.state]}>{words.states[verdict.state]}</Badge> : null;
}
