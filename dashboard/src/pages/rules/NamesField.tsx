import { X } from "lucide-react";

import { announce } from "@/components/Announcer";
import { Autocomplete } from "@/components/Autocomplete";
import { t } from "@/strings/en";

const words = t.rules.editor;

interface Props<T> {
  label: string;
  /** Names the query in the cache. */
  name: string;
  names: string[];
  suggest: (typed: string, signal: AbortSignal) => Promise<T[]>;
  nameOf: (suggestion: T) => string;
  noteOf?: (suggestion: T) => string;
  onChange: (names: string[]) => void;
}

/** Several names, found while a person types. */
export function NamesField<T>({ label, name, names, suggest, nameOf, noteOf, onChange }: Props<T>) {
  const add = (wanted: string) => {
    if (wanted !== "" && !names.includes(wanted)) onChange([...names, wanted]);
  };
  /** What was typed in other letters than the catalogue's is taken as the catalogue writes it. */
  const submit = async (typed: string) => {
    const wanted = typed.trim();
    const found = await suggest(wanted, new AbortController().signal).catch(() => []);
    const alike = found.map(nameOf).find((text) => text.toLowerCase() === wanted.toLowerCase());
    add(alike ?? wanted);
  };
  return (
    <div className="min-w-0 flex-1 space-y-2">
      <Autocomplete
        label={label}
        name={name}
        placeholder={words.chooseName}
        value=""
        suggest={suggest}
        textOf={nameOf}
        show={(suggestion) => <Suggestion name={nameOf(suggestion)} note={noteOf?.(suggestion) ?? ""} />}
        onChoose={(suggestion) => {
          add(nameOf(suggestion));
        }}
        onSubmit={(typed) => void submit(typed)}
        clearAfterChoice
      />
      {names.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {names.map((text) => (
            <li key={text} className="max-w-full">
              <button
                type="button"
                aria-label={words.removeName(text)}
                onClick={() => {
                  onChange(names.filter((other) => other !== text));
                  announce(words.removedName(text));
                }}
                className="inline-flex min-h-7 max-w-full items-center gap-1 rounded-md bg-accent-soft px-2 py-0.5 text-sm hover:bg-sunken"
              >
                <span className="min-w-0 truncate">{text}</span>
                <X aria-hidden="true" className="size-3.5 shrink-0" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Suggestion({ name, note }: { name: string; note: string }) {
  return (
    <span className="flex justify-between gap-3">
      <span className="min-w-0 truncate">{name}</span>
      {note && <span className="max-w-1/2 shrink-0 truncate text-muted">{note}</span>}
    </span>
  );
}
