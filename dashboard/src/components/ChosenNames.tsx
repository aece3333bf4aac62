import { X } from "lucide-react";

import { t } from "@/strings/en";

import { announce } from "./Announcer";

interface Props {
  names: readonly string[];
  onRemove: (name: string) => void;
}

/** Names that are chosen, each a button that takes it away. */
export function ChosenNames({ names, onRemove }: Props) {
  if (names.length === 0) return null;
  return (
    <ul className="mt-1.5 flex flex-wrap gap-1.5">
      {names.map((name) => (
        <li key={name} className="max-w-full">
          <button
            type="button"
            aria-label={t.actions.removeName(name)}
            onClick={() => {
              onRemove(name);
              announce(t.actions.removedName(name));
            }}
            className="inline-flex min-h-7 max-w-full items-center gap-1 rounded-md bg-accent-soft px-2 py-0.5 text-sm hover:bg-sunken"
          >
            <span className="min-w-0 truncate">{name}</span>
            <X aria-hidden="true" className="size-3.5 shrink-0" />
          </button>
        </li>
      ))}
    </ul>
  );
}
