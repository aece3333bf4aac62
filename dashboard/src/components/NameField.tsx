import { suggestBrands, suggestCategories } from "@/api/suggestions";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { Autocomplete } from "./Autocomplete";

const SUGGESTS = { brands: suggestBrands, categories: suggestCategories };

interface Props {
  label: string;
  of: keyof typeof SUGGESTS;
  /** The name that is chosen; empty: any. */
  value: string;
  onChange: (name: string) => void;
  /** For one of several names, which are shown beside the field. */
  clearAfterChoice?: boolean;
}

/** One brand or category of the catalogue; an empty field is any. */
export function NameField({ label, of, value, onChange, clearAfterChoice = false }: Props) {
  return (
    <Autocomplete
      label={label}
      placeholder={t.narrow.any}
      name={of}
      value={value}
      suggest={SUGGESTS[of]}
      textOf={({ name }) => name}
      show={({ name, items }) => (
        <span className="flex justify-between gap-3">
          <span className="min-w-0 truncate">{name}</span>
          <span className="text-muted">{format.count(items)}</span>
        </span>
      )}
      onChoose={({ name }) => {
        onChange(name);
      }}
      onSubmit={(typed) => {
        onChange(typed.trim());
      }}
      clearAfterChoice={clearAfterChoice}
    />
  );
}
