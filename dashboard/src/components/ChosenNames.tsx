import { X } from "lucide-react";

import { t } from "@/strings/en";

import { announce } from "./Announcer";

interface Props {
  names: readonly string[];
  onRemove: (name: string) => void;
}

/** Names that are chosen. */
export function ChosenNames({ names, onRemove }: Props) {
  if (names.length === 0) return null;
  return (
    <ul className="mt-1.5 flex flex-wrap gap-1.5">
      {names.map((name) => (
        <li key={name} className="max-w-full">
          <ChosenName
            name={name}
            onRemove={() => {
              onRemove(name);
            }}
          />
        </li>
      ))}
    </ul>
  );
}

interface NameProps {
  name: string;
  /** What is special about it. */
  note?: string;
  onRemove: () => void;
}

/** Something that is chosen: a button that takes it away. */
export function ChosenName({ name, note, onRemove }: NameProps) {
  return (
    <button
      type="button"
      aria-label={t.actions.removeName(name)}
      onClick={() => {
        onRemove();
        announce(t.actions.removedName(name));
      }}
      className="inline-flex min-h-7 max-w-full items-center gap-1 rounded-md bg-accent-soft px-2 py-0.5 text-sm hover:bg-sunken"
    >
      <span className="min-w-0 truncate">{name}</span>
      {note && <span className="shrink-0 text-xs text-warn">{note}</span>}
      <X aria-hidden="true" className="size-3.5 shrink-0" />
    </button>
  );
}
