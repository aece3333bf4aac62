import type { Schema } from "@/api/client";
import { Card } from "@/components/Card";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { PlainTable } from "@/components/PlainTable";

const words = t.system.stages;
type Stage = Schema<"StageTimes">;

/** How long the stages of making lists take. */
export function StagesCard({ stages }: { stages: Stage[] }) {
  return (
    <Card title={words.title}>
      <p className="mb-3 text-sm text-muted">{words.lead}</p>
      <Stages stages={stages} />
    </Card>
  );
}

function Stages({ stages }: { stages: Stage[] }) {
  const longest = Math.max(...stages.map(({ p99_ms: p99 }) => p99 ?? 0), 1e-9);
  const names: Record<string, string> = words.names;
  if (stages.every(({ count }) => count === 0)) return <p className="text-sm">{words.none}</p>;
  return (
    <PlainTable
      caption={words.title}
      columns={[words.stage, words.count, words.mean, "p50", "p95", "p99", words.bar]}
      rows={stages.map((stage) => [
        names[stage.stage] ?? stage.stage,
        format.count(stage.count),
        milliseconds(stage.mean_ms),
        milliseconds(stage.p50_ms),
        milliseconds(stage.p95_ms),
        milliseconds(stage.p99_ms),
        <Bar key={stage.stage} stage={stage} longest={longest} />,
      ])}
    />
  );
}

const milliseconds = (value: number | null) => (value === null ? "–" : format.ms(value));

/** Median, and on top of it, paler, what the slowest take. The numbers stand beside it. */
function Bar({ stage: { p50_ms: p50, p99_ms: p99 }, longest }: { stage: Stage; longest: number }) {
  const width = (value: number | null) => `${(100 * (value ?? 0)) / longest}%`;
  return (
    <span aria-hidden="true" className="relative block h-3 w-40 rounded-full bg-sunken">
      <span
        className="absolute inset-y-0 left-0 rounded-full border border-accent bg-accent-soft"
        style={{ width: width(p99) }}
      />
      <span className="absolute inset-y-0 left-0 rounded-full bg-accent" style={{ width: width(p50) }} />
    </span>
  );
}
