import type { Schema } from "@/api/client";
import { Badge } from "@/components/Badge";
import { Card } from "@/components/Card";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { metricName } from "./metrics";
import { PlainTable } from "@/components/PlainTable";

const words = t.system.models;
type Model = Schema<"ModelRow">;

/** What lists can be asked of, and how its scores become confidences. */
export function ModelsCard({
  models: { models: rows, default: preferred },
}: {
  models: Schema<"ModelsResponse">;
}) {
  return (
    <Card title={words.title}>
      <p className="mb-3 text-sm text-muted">{words.lead}</p>
      <PlainTable
        caption={words.title}
        columns={[words.name, words.kind, words.proposes, words.weights, words.confidence]}
        rows={rows.map((model) => [
          <span key={model.name} className="font-mono text-xs">
            {model.name} {model.name === preferred && <Badge tone="accent">{words.preferred}</Badge>}
          </span>,
          metricName(model.kind),
          model.proposes ? words.yes : words.no,
          weightsText(model),
          confidenceText(model),
        ])}
      />
    </Card>
  );
}

function weightsText({ weights }: Model): string {
  if (!weights) return "–";
  return Object.entries(weights)
    .map(([member, weight]) => `${member} ${format.decimal(weight, 3)}`)
    .join(", ");
}

function confidenceText({ confidence }: Model): string {
  if (!confidence) return words.share;
  const text = words.logistic(format.decimal(confidence.scale, 3), format.decimal(confidence.offset, 3));
  return confidence.fitted ? text : `${text} (${words.unfitted})`;
}
