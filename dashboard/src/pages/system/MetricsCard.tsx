import { Card } from "@/components/Card";
import { t } from "@/strings/en";

import { metricGroups, type MetricGroup } from "./metrics";
import { PlainTable } from "@/components/PlainTable";

const words = t.system.metrics;

/** What was measured when the bundle was made. */
export function MetricsCard({ metrics }: { metrics: Record<string, unknown> }) {
  const groups = metricGroups(metrics);
  return (
    <Card title={words.title}>
      <p className="mb-3 text-sm text-muted">{words.lead}</p>
      {groups.length === 0 && <p className="text-sm">{words.none}</p>}
      <div className="space-y-3">
        {groups.map((group, index) => (
          <Group key={group.name} group={group} open={index === 0} />
        ))}
      </div>
    </Card>
  );
}

function Group({ group: { name, values, tables }, open }: { group: MetricGroup; open: boolean }) {
  const title = name || words.overall;
  return (
    <details open={open} className="rounded-lg border border-line p-3">
      <summary className="text-sm font-medium">{title}</summary>
      <div className="mt-3 space-y-4">
        {values.length > 0 && (
          <PlainTable caption={title} columns={[words.measure, words.value]} rows={values} />
        )}
        {tables.map((table) => (
          <div key={table.name}>
            {table.name !== name && <h3 className="mb-1 text-sm font-medium">{table.name}</h3>}
            <PlainTable caption={table.name} columns={table.columns} rows={table.rows} />
          </div>
        ))}
      </div>
    </details>
  );
}
