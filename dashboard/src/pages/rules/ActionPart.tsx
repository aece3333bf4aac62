import { useState } from "react";

import { Button } from "@/components/Button";
import { Choices } from "@/components/Choices";
import { SelectField, TextField } from "@/components/Field";
import { t } from "@/strings/en";

import type { FieldErrors } from "./faults";
import { ACTION_TYPES, fieldsOf, initialValues, type ActionType, type Draft, type FieldSpec } from "./rule";

const words = t.rules;
const COMMON: readonly ActionType[] = ["hide", "require", "boost", "bury", "pin", "promote"];
const GROUPS = ["brand", "category", "top_category"];

interface Props {
  draft: Draft;
  errors: FieldErrors;
  onChange: (change: Partial<Draft>) => void;
}

/** The one thing that the rule does, with its numbers. */
export function ActionPart({ draft, errors, onChange }: Props) {
  const [more, setMore] = useState(!COMMON.includes(draft.type));
  const shown = more ? ACTION_TYPES : COMMON;
  const fields = fieldsOf(draft.type);
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-end gap-2">
        <Choices
          label={words.editor.action}
          bare
          value={draft.type}
          options={shown.map((value) => ({ value, label: words.actions[value] }))}
          onChange={(type) => {
            onChange({ type, values: initialValues(type) });
          }}
        />
        {!more && (
          <Button
            look="quiet"
            onClick={() => {
              setMore(true);
            }}
          >
            {words.editor.more}
          </Button>
        )}
      </div>
      <p className="text-sm text-muted">{words.actionHints[draft.type]}</p>
      {errors["action"] && <p className="text-xs text-bad">{errors["action"]}</p>}
      {fields.length > 0 && (
        <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
          {fields.map(([name, spec]) => (
            <ActionField
              key={`${draft.type} ${name}`}
              type={draft.type}
              name={name}
              spec={spec}
              value={draft.values[name] ?? ""}
              error={errors[`action.${name}`]}
              onChange={(value) => {
                onChange({ values: { ...draft.values, [name]: value } });
              }}
            />
          ))}
        </div>
      )}
    </div>
  );
}

interface FieldProps {
  type: ActionType;
  name: string;
  spec: FieldSpec;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}

function ActionField({ type, name, spec, value, error, onChange }: FieldProps) {
  const [label, hint] = words.fields[type]?.[name] ?? [name, ""];
  if (spec.kind === "order") {
    const options = Object.entries(words.orders).map(([order, text]) => ({ value: order, label: text }));
    return <SelectField label={label} value={value} options={options} error={error} onChange={onChange} />;
  }
  const numbers =
    spec.kind === "group"
      ? { list: "rule-groups", autoComplete: "off", spellCheck: false }
      : { type: "number", min: spec.min, max: spec.max, step: spec.kind === "whole" ? 1 : "any" };
  return (
    <div className="min-w-0">
      <TextField
        label={label}
        hint={hint}
        error={error}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        {...numbers}
      />
      {spec.kind === "group" && (
        <datalist id="rule-groups">
          {GROUPS.map((group) => (
            <option key={group} value={group} />
          ))}
        </datalist>
      )}
    </div>
  );
}
