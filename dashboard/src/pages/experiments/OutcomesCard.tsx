import { useState } from "react";

import { Card } from "@/components/Card";
import { EmptyState } from "@/components/EmptyState";
import { SelectField } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { PlainTable } from "@/components/PlainTable";
import { QueryView } from "@/components/QueryView";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { DIMENSIONS, useOutcomes, type Dimension, type OutcomeCounts, type Outcomes } from "./queries";

const words = t.experiments.outcomes;

/** What came of the lists of the last week, by what made them. */
export function OutcomesCard() {
  const [by, setBy] = useState<Dimension>("variant");
  const outcomes = useOutcomes(by);
  return (
    <Card
      title={words.title}
      action={
        <SelectField
          label={words.by}
          value={by}
          options={DIMENSIONS.map((value) => ({ value, label: words.dimensions[value] ?? value }))}
          onChange={(value) => {
            setBy(value as Dimension);
          }}
        />
      }
    >
      <p className="mb-4 text-sm text-muted">{words.lead}</p>
      <QueryView query={outcomes}>{(data) => <Shown outcomes={data} by={by} />}</QueryView>
    </Card>
  );
}

function Shown({ outcomes, by }: { outcomes: Outcomes; by: Dimension }) {
  const { window, total, tables, unattributed, complete, kept_since: kept } = outcomes;
  if (total.lists === 0 && unattributed.length === 0)
    return <EmptyState title={words.none}>{words.noneHint}</EmptyState>;
  const named = words.dimensions[by] ?? by;
  return (
    <div className="space-y-4">
      <p className="text-xs text-muted">
        {words.window(format.time(window.since), format.time(window.until))}
      </p>
      {!complete && kept && <Notice tone="warn">{words.incomplete(format.time(kept))}</Notice>}
      {total.impressions === 0 && <Notice tone="warn">{words.noneHint}</Notice>}
      <PlainTable
        caption={words.caption(named)}
        columns={[named, ...words.columns]}
        rows={[
          ...(tables[0]?.rows ?? []).map((row) => cells(row.value ?? words.noValue, row)),
          cells(words.all, total),
        ]}
      />
      {unattributed.length > 0 && (
        <details className="text-sm">
          <summary className="w-fit rounded-sm py-1 text-accent">{words.unattributed}</summary>
          <div className="mt-2">
            <PlainTable
              caption={words.unattributed}
              columns={words.unattributedColumns}
              rows={unattributed.map((row) => [
                words.causes[row.cause] ?? row.cause,
                row.event_type,
                format.count(row.events),
              ])}
            />
          </div>
        </details>
      )}
    </div>
  );
}

function cells(name: string, row: OutcomeCounts): string[] {
  return [
    name,
    format.count(row.lists),
    format.count(row.served),
    format.count(row.impressions),
    format.count(row.clicks),
    rate(row.ctr),
    rate(row.ctr_served),
    format.count(row.carts),
    format.count(row.purchases),
    format.fixed(row.revenue, 2),
  ];
}

/** A rate with its interval, where there is one. */
function rate(told: OutcomeCounts["ctr"]): string {
  if (told === null) return "–";
  const { value, low, high } = told;
  const shown = format.percent(value);
  return low === null || high === null
    ? shown
    : `${shown} (${format.percent(low)} … ${format.percent(high)})`;
}
