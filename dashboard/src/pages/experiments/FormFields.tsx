import type { ReactNode } from "react";

import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Choices } from "@/components/Choices";
import { Failure } from "@/components/Failure";
import { SelectField, TextField } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { useMay } from "@/api/queries";
import { t } from "@/strings/en";

import { type Draft } from "./draft";
import { GuardrailFields } from "./GuardrailFields";
import { VariantFields } from "./VariantFields";

const words = t.experiments.form;
const PRIMARIES: readonly Draft["primary"][] = [
  "ctr",
  "add_to_cart_rate",
  "conversion_rate",
  "clicks_per_user",
  "purchases_per_user",
  "revenue_per_user",
];

interface Props {
  draft: Draft;
  isNew: boolean;
  isRunning: boolean;
  complaints: Record<string, string>;
  failure: Error | null;
  /** That somebody else changed it, if so. */
  changed: ReactNode;
  saving: boolean;
  onChange: (change: Partial<Draft>) => void;
  onSave: () => void;
}

/** The fields of an experiment, and how to keep what they say. */
export function FormFields(props: Props) {
  const { draft, isNew, isRunning, complaints, failure, changed, saving, onChange, onSave } = props;
  const mayNot = useMay("admin") === false;
  return (
    <form
      className="space-y-6"
      onSubmit={(event) => {
        event.preventDefault();
        if (!saving) onSave();
      }}
    >
      {isRunning && <Notice tone="warn">{words.running}</Notice>}
      <Card title={words.what}>
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label={words.key}
            hint={words.keyHint}
            error={complaints["key"]}
            value={draft.key}
            disabled={!isNew}
            required
            onChange={(event) => {
              onChange({ key: event.target.value });
            }}
          />
          <TextField
            label={words.titleLabel}
            error={complaints["title"]}
            value={draft.title}
            onChange={(event) => {
              onChange({ title: event.target.value });
            }}
          />
          <div className="sm:col-span-2">
            <Choices
              label={words.mode}
              value={draft.mode}
              options={[
                { value: "split", label: words.split },
                { value: "interleaved", label: words.interleaved },
              ]}
              onChange={(mode) => {
                onChange({ mode });
              }}
            />
            <p className="mt-1 text-xs text-muted">{t.experiments.modes[draft.mode]}</p>
          </div>
        </div>
      </Card>
      <VariantFields
        variants={draft.variants}
        mode={draft.mode}
        complaints={complaints}
        onChange={(variants) => {
          onChange({ variants });
        }}
      />
      <Card title={words.judging}>
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField
            label={words.primary}
            error={complaints["primary"]}
            value={draft.primary}
            options={PRIMARIES.map((value) => ({ value, label: t.experiments.metrics[value] ?? value }))}
            onChange={(value) => {
              onChange({ primary: value as Draft["primary"] });
            }}
          />
          <TextField
            label={words.leastUsers}
            error={complaints["least_users"]}
            inputMode="numeric"
            value={draft.leastUsers}
            onChange={(event) => {
              onChange({ leastUsers: event.target.value });
            }}
          />
          <TextField
            label={words.traffic}
            error={complaints["traffic"]}
            inputMode="decimal"
            value={draft.traffic}
            onChange={(event) => {
              onChange({ traffic: event.target.value });
            }}
          />
          <TextField
            label={words.layer}
            hint={words.layerHint}
            error={complaints["layer"]}
            value={draft.layer}
            onChange={(event) => {
              onChange({ layer: event.target.value });
            }}
          />
        </div>
        <GuardrailFields
          guardrails={draft.guardrails}
          complaints={complaints}
          onChange={(guardrails) => {
            onChange({ guardrails });
          }}
        />
      </Card>
      <div className="space-y-3">
        {mayNot && !failure && <Notice tone="warn">{t.failures.scope("admin")}</Notice>}
        {changed}
        {Object.keys(complaints).length > 0 && (
          <p role="alert" className="text-sm text-bad">
            {complaints[""] ?? words.refused}
          </p>
        )}
        <Button look="primary" type="submit" aria-disabled={saving}>
          {saving ? words.saving : words.save}
        </Button>
        {failure && <Failure error={failure} />}
      </div>
    </form>
  );
}
