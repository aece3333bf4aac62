import { Autocomplete } from "@/components/Autocomplete";
import { ChosenNames } from "@/components/ChosenNames";
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
    <div className="min-w-0 flex-1">
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
      <ChosenNames
        names={names}
        onRemove={(name) => {
          onChange(names.filter((other) => other !== name));
        }}
      />
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
