import { X } from "lucide-react";

import { Autocomplete } from "@/components/Autocomplete";
import { t } from "@/strings/en";

import { suggestNames } from "./queries";

const text = t.recommendations.filters;

interface Props {
  label: string;
  of: "brands" | "categories";
  chosen: string[];
  onChange: (names: string[]) => void;
}

/** Names of brands or categories, of which an item bears any. */
export function NamesField({ label, of, chosen, onChange }: Props) {
  const add = (name: string) => {
    if (name && !chosen.includes(name)) onChange([...chosen, name]);
  };
  return (
    <div className="min-w-0">
      <Autocomplete
        label={label}
        placeholder={chosen.length === 0 ? text.anyPlaceholder : ""}
        value=""
        name={of}
        suggest={(typed, signal) => suggestNames(of, typed, signal)}
        textOf={({ name }) => name}
        show={({ name, items }) => (
          <span className="flex min-w-0 justify-between gap-3">
            <span className="min-w-0 truncate">{name}</span>
            {items !== null && <span className="shrink-0 text-xs text-muted">{items}</span>}
          </span>
        )}
        onChoose={({ name }) => {
          add(name);
        }}
        onSubmit={(typed) => {
          add(typed.trim());
        }}
        clearAfterChoice
      />
      {chosen.length > 0 && (
        <ul className="mt-1.5 flex flex-wrap gap-1.5">
          {chosen.map((name) => (
            <li
              key={name}
              className="flex max-w-full items-center gap-1 rounded-md bg-accent-soft py-0.5 pr-0.5 pl-2 text-xs"
            >
              <span className="min-w-0 truncate">{name}</span>
              <button
                type="button"
                aria-label={text.remove(name)}
                className="inline-flex size-6 shrink-0 items-center justify-center rounded-md hover:bg-surface"
                onClick={() => {
                  onChange(chosen.filter((one) => one !== name));
                }}
              >
                <X aria-hidden="true" className="size-3" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
