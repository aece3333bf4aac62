import { ArrowLeft } from "lucide-react";
import { Link } from "wouter";

import { Badge } from "@/components/Badge";
import { buttonLook } from "@/components/Button";
import { Card } from "@/components/Card";
import { EmptyState } from "@/components/EmptyState";
import { Notice } from "@/components/Notice";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { Actions } from "./Actions";
import { STATUS_TONES } from "./ListView";
import { useExperiments, type ExperimentRow } from "./queries";
import { ResultsPart } from "./ResultsPart";
import { overridesText, shareOf, termsOf, titleOf, usersText } from "./terms";
import type { View } from "./view";

const words = t.experiments;

interface Props {
  name: string;
  setView: (change: Partial<View>) => void;
}

/** One experiment: what it says, what can be done with it, and what came of it. */
export function ExperimentView({ name, setView }: Props) {
  const experiments = useExperiments();
  const row = experiments.data?.experiments.find(({ key }) => key === name);
  return (
    <>
      <Link
        href="/experiments"
        className="mb-3 inline-flex min-h-6 items-center gap-1 rounded-sm text-sm text-accent"
      >
        <ArrowLeft aria-hidden="true" className="size-4" />
        {words.back}
      </Link>
      <PageHeading title={(row && titleOf(row)) ?? name} lead={<span className="font-mono">{name}</span>}>
        {row && (
          <Actions
            row={row}
            onGone={() => {
              setView({ experiment: "" });
            }}
          />
        )}
      </PageHeading>
      <QueryView query={experiments}>
        {({ source }) =>
          row ? (
            <div className="space-y-6">
              {words.sources[source] && <Notice tone="warn">{words.sources[source]}</Notice>}
              <TermsCard row={row} />
              {row.started_at === null ? (
                <Notice>{words.draftHint}</Notice>
              ) : (
                <ResultsPart row={row} primary={termsOf(row)?.primary ?? "ctr"} />
              )}
            </div>
          ) : (
            <EmptyState title={words.missing(name)}>
              <Link href="/experiments" className={buttonLook()}>
                {words.back}
              </Link>
            </EmptyState>
          )
        }
      </QueryView>
    </>
  );
}

function TermsCard({ row }: { row: ExperimentRow }) {
  const terms = termsOf(row);
  return (
    <Card
      title={words.termsTitle}
      action={<Badge tone={STATUS_TONES[row.status]}>{words.statuses[row.status]}</Badge>}
    >
      {terms === null ? (
        <p className="text-sm text-bad">{row.fault}</p>
      ) : (
        <div className="space-y-4 text-sm">
          <ul aria-label={words.variants} className="space-y-2">
            {terms.variants.map((variant, place) => (
              <li key={variant.name} className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
                <span className="font-medium wrap-anywhere">{variant.name}</span>
                {place === 0 && <Badge>{words.control}</Badge>}
                <span className="text-muted">
                  {terms.mode === "split" && `${format.percent(shareOf(variant, terms))} · `}
                  {overridesText(variant)}
                </span>
              </li>
            ))}
          </ul>
          <p className="text-muted">
            {words.modes[terms.mode]} {usersText(terms)}
          </p>
          <p className="text-muted">
            {words.judgedBy(
              words.metrics[terms.primary] ?? terms.primary,
              format.percent(terms.alpha ?? 0.05),
            )}{" "}
            {(terms.guardrails ?? [])
              .map(({ metric, most }) =>
                words.guardedBy(words.metrics[metric] ?? metric, format.percent(most)),
              )
              .join(" ")}
          </p>
          <p className="text-xs text-muted">
            {words.version(format.count(row.version))}
            {row.started_at && ` · ${words.since(format.time(row.started_at))}`}
            {row.stopped_at && ` · ${words.until(format.time(row.stopped_at))}`}
          </p>
        </div>
      )}
    </Card>
  );
}
