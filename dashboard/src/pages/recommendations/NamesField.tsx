import { ChosenNames } from "@/components/ChosenNames";
import { NameField } from "@/components/NameField";

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
      <ChosenNames
        names={chosen}
        onRemove={(name) => {
          onChange(chosen.filter((one) => one !== name));
        }}
      />
    </div>
  );
}
