import { format } from "@/lib/format";
import { t } from "@/strings/en";

type Value = number | string | boolean | string[];

/** What the shop says of an item or a user beyond what everyone has. */
export function AttributeList({ attributes }: { attributes: Record<string, Value> }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
      {Object.entries(attributes).map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="break-words text-muted">{name}</dt>
          <dd className="break-words">{textOf(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function textOf(value: Value): string {
  if (typeof value === "number") return format.decimal(value);
  if (typeof value === "boolean") return value ? t.attributes.yes : t.attributes.no;
  return Array.isArray(value) ? value.join(", ") : value;
}
