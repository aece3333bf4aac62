import type { ReactNode } from "react";

import { Button } from "@/components/Button";
import { TextArea } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { t } from "@/strings/en";

import type { Side } from "./rule";

const words = t.rules.editor;

interface Props<Condition> {
  side: Side<Condition>;
  asText: boolean;
  label: string;
  hint: string;
  error: string | undefined;
  onText: (text: string) => void;
  /** The form of what can be clicked together. */
  form: (conditions: Condition[]) => ReactNode;
}

/** One of a rule's two expressions, as a form where it can show it, or as text. */
export function SidePart<Condition>({ side, asText, label, hint, error, onText, form }: Props<Condition>) {
  if (!asText && side.conditions) {
    return (
      <>
        {form(side.conditions)}
        {error && (
          <p role="alert" className="mt-2 text-xs text-bad">
            {error}
          </p>
        )}
      </>
    );
  }
  return (
    <div className="space-y-3">
      {!asText && (
        <Notice>
          <p>{words.tooFree}</p>
          <Button
            size="small"
            className="mt-2"
            onClick={() => {
              onText("");
            }}
          >
            {words.startAnew}
          </Button>
        </Notice>
      )}
      <TextArea
        label={label}
        hint={hint}
        error={error}
        rows={3}
        maxLength={2000}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        value={side.text}
        onChange={(event) => {
          onText(event.target.value);
        }}
      />
    </div>
  );
}
