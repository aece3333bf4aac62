import { Trash2 } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "@/components/Button";
import { SelectField } from "@/components/Field";
import { t } from "@/strings/en";

const words = t.rules.editor;

interface Props<Kind extends string> {
  label: string;
  kind: Kind;
  kinds: Record<Kind, string>;
  onKind: (kind: Kind) => void;
  onRemove: () => void;
  children: ReactNode;
}

/** A condition: what it is about, what it says of that, and how to be rid of it. */
export function ConditionRow<Kind extends string>({
  label,
  kind,
  kinds,
  onKind,
  onRemove,
  children,
}: Props<Kind>) {
  const options = Object.entries<string>(kinds).map(([value, text]) => ({ value, label: text }));
  return (
    <li className="flex flex-wrap items-start gap-3 rounded-lg bg-sunken p-3 sm:flex-nowrap">
      <div className="min-w-0 flex-1 sm:w-48 sm:flex-none">
        <SelectField
          label={label}
          value={kind}
          options={options}
          onChange={(value) => {
            onKind(value as Kind);
          }}
        />
      </div>
      <div className="order-last flex w-full min-w-0 flex-wrap gap-3 sm:order-none sm:w-auto sm:flex-1">
        {children}
      </div>
      <Button
        look="quiet"
        size="small"
        aria-label={words.removeCondition(kinds[kind])}
        onClick={onRemove}
        className="mt-6"
      >
        <Trash2 aria-hidden="true" className="size-4" />
      </Button>
    </li>
  );
}

/** Conditions that all hold, and how to add another one. */
export function Conditions({
  none,
  count,
  onAdd,
  children,
}: {
  none: string;
  count: number;
  onAdd: () => void;
  children: ReactNode;
}) {
  return (
    <div className="space-y-3">
      {count === 0 && <p className="text-sm">{none}</p>}
      {count > 0 && <ul className="space-y-2">{children}</ul>}
      <Button size="small" onClick={onAdd}>
        {words.addCondition}
      </Button>
    </div>
  );
}
