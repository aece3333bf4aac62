import type { Schema } from "@/api/client";
import { ItemLink } from "@/components/Links";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { kindLabel } from "../labels";

type Fact = Schema<"WhyFact">;

/** The reason that a list carries: a sentence, and at most two facts. */
export function CheapWhy({ why }: { why: Schema<"Why"> }) {
  return (
    <>
      <p>{why.text}</p>
      {why.facts.length > 0 && (
        <ul aria-label={t.why.facts} className="space-y-1 text-xs">
          {why.facts.map((fact, index) => (
            <li key={`${fact.kind} ${index}`}>
              <span className="text-muted">{kindLabel(fact.kind)}</span>
              {fact.value !== "" && (
                <>
                  {": "}
                  <Value fact={fact} />
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Value({ fact: { kind, value, item_id: itemId } }: { fact: Fact }) {
  if (typeof value === "number") {
    if (kind === "price_near_habit") return <Price value={value} />;
    return <>{kind === "popularity" ? t.why.number(format.count(value)) : format.decimal(value)}</>;
  }
  const named = kind === "next_purchase" || kind === "co_purchase" || kind === "similar_text";
  if (named && itemId !== null)
    return (
      <ItemLink id={itemId} className="text-accent">
        {value}
      </ItemLink>
    );
  return <>{value}</>;
}
