import { suggestBrands, suggestCategories, suggestItems, type NamedItems } from "@/api/suggestions";
import { TextField } from "@/components/Field";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { ConditionRow, Conditions } from "./ConditionRow";
import type { ItemCondition } from "./conditions";
import { NamesField } from "./NamesField";

const words = t.rules;
type Kind = ItemCondition["kind"];

const EMPTY: { [K in Kind]: Extract<ItemCondition, { kind: K }> } = {
  brand: { kind: "brand", names: [] },
  category: { kind: "category", names: [] },
  price: { kind: "price", from: "", to: "" },
  items: { kind: "items", names: [] },
  title: { kind: "title", text: "" },
  age: { kind: "age", days: "14" },
};

interface Props {
  conditions: ItemCondition[];
  onChange: (conditions: ItemCondition[]) => void;
}

/** Which items, clicked together. */
export function ItemConditions({ conditions, onChange }: Props) {
  const replace = (index: number, condition: ItemCondition) => {
    onChange(conditions.map((other, place) => (place === index ? condition : other)));
  };
  return (
    <Conditions
      none={words.editor.allItems}
      count={conditions.length}
      onAdd={() => {
        const used = new Set(conditions.map(({ kind }) => kind));
        const kind = (Object.keys(EMPTY) as Kind[]).find((name) => !used.has(name)) ?? "brand";
        onChange([...conditions, EMPTY[kind]]);
      }}
    >
      {conditions.map((condition, index) => (
        <ConditionRow
          key={`${condition.kind} ${index}`}
          label={index === 0 ? words.sentence.items : words.editor.and}
          kind={condition.kind}
          kinds={words.itemKinds}
          onKind={(kind) => {
            replace(index, EMPTY[kind]);
          }}
          onRemove={() => {
            onChange(conditions.filter((_, place) => place !== index));
          }}
        >
          <ItemCondition
            condition={condition}
            onChange={(changed) => {
              replace(index, changed);
            }}
          />
        </ConditionRow>
      ))}
    </Conditions>
  );
}

const countOf = ({ items }: NamedItems) => words.conditionFields.itemCount(format.count(items));

interface OneProps {
  condition: ItemCondition;
  onChange: (condition: ItemCondition) => void;
}

function ItemCondition({ condition, onChange }: OneProps) {
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
