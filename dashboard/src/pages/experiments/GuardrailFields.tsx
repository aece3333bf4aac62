import { Button } from "@/components/Button";
import { SelectField, TextField } from "@/components/Field";
import { t } from "@/strings/en";

import type { GuardrailDraft } from "./draft";

const words = t.experiments.form;
const METRICS = [
  "latency_ms",
  "fallback_rate",
  "brand_variety",
  "ctr",
  "conversion_rate",
  "revenue_per_user",
];

interface Props {
  guardrails: GuardrailDraft[];
  complaints: Record<string, string>;
  onChange: (guardrails: GuardrailDraft[]) => void;
}

/** What a variant must not do, however good it is otherwise. */
export function GuardrailFields({ guardrails, complaints, onChange }: Props) {
  const change = (place: number, some: Partial<GuardrailDraft>) => {
    onChange(guardrails.map((one, other) => (other === place ? { ...one, ...some } : one)));
  };
  const free = METRICS.find((metric) => guardrails.every((one) => one.metric !== metric));
  return (
    <fieldset className="mt-5 min-w-0">
      <legend className="mb-2 text-sm font-medium">{words.guardrails}</legend>
      <div className="space-y-3">
        {guardrails.map(({ metric, most }, place) => (
          <div key={place} className="flex flex-wrap items-end gap-3">
            <SelectField
              label={words.guarded}
              error={complaints[`guardrails.${place}.metric`]}
              value={metric}
              options={METRICS.map((value) => ({ value, label: t.experiments.metrics[value] ?? value }))}
              onChange={(value) => {
                change(place, { metric: value });
              }}
            />
            <TextField
              label={words.most}
              error={complaints[`guardrails.${place}.most`]}
              inputMode="decimal"
              value={most}
              onChange={(event) => {
                change(place, { most: event.target.value });
              }}
            />
            <Button
              look="quiet"
              size="small"
              aria-label={words.removeGuardrail(t.experiments.metrics[metric] ?? metric)}
              onClick={() => {
                onChange(guardrails.filter((_, other) => other !== place));
              }}
            >
              {words.remove}
            </Button>
          </div>
        ))}
        {free && (
          <Button
            size="small"
            onClick={() => {
              onChange([...guardrails, { metric: free, most: "5" }]);
            }}
          >
            {words.addGuardrail}
          </Button>
        )}
      </div>
    </fieldset>
  );
}
