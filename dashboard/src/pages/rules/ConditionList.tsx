import { Trash2 } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "@/components/Button";
import { SelectField } from "@/components/Field";
import { t } from "@/strings/en";

const words = t.rules.editor;

/** A condition of each kind to begin with. */
export type Beginnings<Condition extends { kind: string }> = {
  [Kind in Condition["kind"]]: Extract<Condition, { kind: Kind }>;
};

interface Props<Condition extends { kind: string }> {
  /** What the first of them is about; the others go on with "and". */
  label: string;
  /** What holds as long as there is no condition. */
  none: string;
  kinds: Record<Condition["kind"], string>;
  beginnings: Beginnings<Condition>;
  /** Kind of the condition that is added next. */
  next: (conditions: Condition[]) => Condition["kind"];
  conditions: Condition[];
  onChange: (conditions: Condition[]) => void;
  /** The fields of one. */
  fields: (condition: Condition, onChange: (condition: Condition) => void) => ReactNode;
}

/** Conditions that all hold: each says what it is about, and can be changed for another, or taken away. */
export function ConditionList<Condition extends { kind: string }>(props: Props<Condition>) {
  const { label, none, kinds, beginnings, next, conditions, onChange, fields } = props;
  const beginning = (kind: Condition["kind"]): Condition => beginnings[kind];
  return (
    <div className="space-y-3">
      {conditions.length === 0 && <p className="text-sm">{none}</p>}
      {conditions.length > 0 && (
        <ul className="space-y-2">
          {conditions.map((condition, index) => {
            const replace = (changed: Condition) => {
              onChange(conditions.map((other, place) => (place === index ? changed : other)));
            };
            return (
              <Row
                key={`${condition.kind} ${index}`}
                label={index === 0 ? label : words.and}
                kind={condition.kind}
                kinds={kinds}
                onKind={(kind) => {
                  replace(beginning(kind as Condition["kind"]));
                }}
                onRemove={() => {
                  onChange(conditions.filter((_, place) => place !== index));
                }}
              >
                {fields(condition, replace)}
              </Row>
            );
          })}
        </ul>
      )}
      <Button
        size="small"
        onClick={() => {
          onChange([...conditions, beginning(next(conditions))]);
        }}
      >
        {words.addCondition}
      </Button>
    </div>
  );
}

interface RowProps {
  label: string;
  kind: string;
  kinds: Record<string, string>;
  onKind: (kind: string) => void;
  onRemove: () => void;
  children: ReactNode;
}

function Row({ label, kind, kinds, onKind, onRemove, children }: RowProps) {
  const options = Object.entries(kinds).map(([value, text]) => ({ value, label: text }));
  return (
    <li className="flex flex-wrap items-start gap-3 rounded-lg bg-sunken p-3 sm:flex-nowrap">
      <div className="min-w-0 flex-1 sm:w-48 sm:flex-none">
        <SelectField label={label} value={kind} options={options} onChange={onKind} />
      </div>
      <div className="order-last flex w-full min-w-0 flex-wrap gap-3 sm:order-none sm:w-auto sm:flex-1">
        {children}
      </div>
      <Button
        look="quiet"
        size="small"
        aria-label={words.removeCondition(kinds[kind] ?? kind)}
        onClick={onRemove}
        className="mt-6"
      >
        <Trash2 aria-hidden="true" className="size-4" />
        {words.remove}
      </Button>
    </li>
  );
}
