import { suggestBrands, suggestCategories, suggestItems, type NamedItems } from "@/api/suggestions";
import { TextField } from "@/components/Field";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { ConditionList, type Beginnings } from "./ConditionList";
import type { ItemCondition } from "./conditions";
import { NamesField } from "./NamesField";

const words = t.rules;

const BEGINNINGS: Beginnings<ItemCondition> = {
  brand: { kind: "brand", names: [] },
  category: { kind: "category", names: [] },
  price: { kind: "price", from: "", to: "" },
  items: { kind: "items", names: [] },
  title: { kind: "title", text: "" },
  age: { kind: "age", days: "14" },
};

const ITEM_KINDS = Object.keys(BEGINNINGS) as ItemCondition["kind"][];

interface Props {
  conditions: ItemCondition[];
  onChange: (conditions: ItemCondition[]) => void;
}

/** Which items, clicked together. */
export function ItemConditions({ conditions, onChange }: Props) {
  return (
    <ConditionList
      label={words.sentence.items}
      none={words.editor.allItems}
      kinds={words.itemKinds}
      beginnings={BEGINNINGS}
      next={unusedKind}
      conditions={conditions}
      onChange={onChange}
      fields={(condition, change) => <ItemFields condition={condition} onChange={change} />}
    />
  );
}

function unusedKind(conditions: ItemCondition[]): ItemCondition["kind"] {
  const used = new Set(conditions.map(({ kind }) => kind));
  return ITEM_KINDS.find((kind) => !used.has(kind)) ?? "brand";
}

const countOf = ({ items }: NamedItems) => words.conditionFields.itemCount(format.count(items));

interface OneProps {
  condition: ItemCondition;
  onChange: (condition: ItemCondition) => void;
}

function ItemFields({ condition, onChange }: OneProps) {
  const fields = words.conditionFields;
  switch (condition.kind) {
    case "brand":
    case "category":
      return (
        <NamesField
          label={fields[condition.kind]}
          name={condition.kind}
          names={condition.names}
          suggest={condition.kind === "brand" ? suggestBrands : suggestCategories}
          nameOf={({ name }) => name}
          noteOf={countOf}
          onChange={(names) => {
            onChange({ ...condition, names });
          }}
        />
      );
    case "items":
      return (
        <NamesField
          label={fields.items}
          name="items"
          names={condition.names}
          suggest={suggestItems}
          nameOf={({ item_id }) => item_id}
          noteOf={({ title }) => title ?? ""}
          onChange={(names) => {
            onChange({ ...condition, names });
          }}
        />
      );
    case "price":
      return (
        <>
          <NumberField
            label={fields.from}
            value={condition.from}
            onChange={(from) => {
              onChange({ ...condition, from });
            }}
          />
          <NumberField
            label={fields.to}
            value={condition.to}
            onChange={(to) => {
              onChange({ ...condition, to });
            }}
          />
        </>
      );
    case "title":
      return (
        <div className="min-w-0 flex-1">
          <TextField
            label={fields.title}
            value={condition.text}
            onChange={(event) => {
              onChange({ ...condition, text: event.target.value });
            }}
          />
        </div>
      );
    case "age":
      return (
        <NumberField
          label={fields.days}
          value={condition.days}
          onChange={(days) => {
            onChange({ ...condition, days });
          }}
        />
      );
  }
}

/** A number from 0 on. */
export function NumberField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <div className="w-28">
      <TextField
        label={label}
        type="number"
        min={0}
        step="any"
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      />
    </div>
  );
}
