import type { RefObject } from "react";

import { SelectField, TextArea, TextField } from "@/components/Field";
import { t } from "@/strings/en";

import type { FieldErrors } from "./faults";
import type { Draft } from "./rule";

const words = t.rules.editor;

interface Props {
  draft: Draft;
  /** Name that the rule gets where none is typed. */
  suggested: string;
  /** A rule that is there keeps its name. */
  named: boolean;
  errors: FieldErrors;
  nameField: RefObject<HTMLInputElement | null>;
  onChange: (change: Partial<Draft>) => void;
}

/** What most rules need no other value of. */
export function FurtherPart({ draft, suggested, named, errors, nameField, onChange }: Props) {
  return (
    <div className="grid gap-4 pt-4 sm:grid-cols-2">
      <TextField
        ref={nameField}
        label={words.id}
        hint={words.idHint}
        error={errors["id"]}
        placeholder={suggested}
        value={draft.id}
        readOnly={named}
        maxLength={100}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          onChange({ id: event.target.value });
        }}
      />
      <TextField
        label={words.priority}
        hint={words.priorityHint}
        error={errors["priority"]}
        type="number"
        step={1}
        value={draft.priority}
        onChange={(event) => {
          onChange({ priority: event.target.value });
        }}
      />
      <TextField
        label={words.from}
        hint={words.timeHint}
        error={errors["valid_from"]}
        type="datetime-local"
        value={draft.validFrom}
        onChange={(event) => {
          onChange({ validFrom: event.target.value });
        }}
      />
      <TextField
        label={words.to}
        hint={words.timeHint}
        error={errors["valid_to"]}
        type="datetime-local"
        value={draft.validTo}
        onChange={(event) => {
          onChange({ validTo: event.target.value });
        }}
      />
      <SelectField
        label={words.state}
        value={draft.enabled ? "on" : "off"}
        options={[
          { value: "on", label: words.on },
          { value: "off", label: words.off },
        ]}
        onChange={(value) => {
          onChange({ enabled: value === "on" });
        }}
      />
      <TextArea
        label={words.note}
        error={errors["note"]}
        rows={2}
        maxLength={1000}
        value={draft.note}
        onChange={(event) => {
          onChange({ note: event.target.value });
        }}
      />
    </div>
  );
}
