import { X } from "lucide-react";

import { NameField } from "@/components/NameField";
import { t } from "@/strings/en";

interface Props {
  label: string;
  of: "brands" | "categories";
  chosen: string[];
  onChange: (names: string[]) => void;
}

/** Names of brands or categories, of which an item bears any. */
export function NamesField({ label, of, chosen, onChange }: Props) {
  return (
    <div className="min-w-0">
      <NameField
        label={label}
        of={of}
        value=""
        onChange={(name) => {
          if (name && !chosen.includes(name)) onChange([...chosen, name]);
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
                aria-label={t.recommendations.filters.remove(name)}
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
