import { Badge } from "@/components/Badge";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { kindLabel } from "../labels";
import type { Explanation } from "../queries";
import { FirstFew } from "./FirstFew";
import { Part } from "./Part";

type Fact = Explanation["facts"][number];

/** Single true statements, on which the text rests. */
export function Facts({ answer }: { answer: Explanation }) {
  const { facts, cites } = answer;
  return (
    <Part title={t.why.factsPart.title} lead={t.why.factsPart.lead}>
      {facts.length === 0 && <p className="text-sm text-muted">{t.why.factsPart.empty}</p>}
      <FirstFew items={facts} first={6}>
        {(shown) => (
          <ul className="space-y-2">
            {shown.map((fact) => (
              <Row key={fact.id} fact={fact} cited={cites.includes(fact.id)} />
            ))}
          </ul>
        )}
      </FirstFew>
    </Part>
  );
}

function Row({ fact, cited }: { fact: Fact; cited: boolean }) {
  return (
    <li className="grid gap-x-4 gap-y-0.5 text-sm @xl:grid-cols-[10rem_minmax(0,1fr)_12rem]">
      <span className="font-medium">{kindLabel(fact.kind)}</span>
      <span className="min-w-0">
        {fact.text ?? <span className="text-muted">{textless(fact)}</span>}{" "}
        {cited && <Badge tone="accent">{t.why.factsPart.cited}</Badge>}
      </span>
      <span className="text-xs @xl:text-right">
        <Strength fact={fact} />
      </span>
    </li>
  );
}

function Strength({ fact: { strength, polarity } }: { fact: Fact }) {
  const words = t.why.factsPart;
  if (strength === null) return <span className="text-muted">{words.noStrength}</span>;
  if (strength === 0) return <span className="text-muted">{words.nothing}</span>;
  return (
    <>
      <span className={polarity === "for" ? "text-good" : "text-bad"}>
        {format.significant(strength, 3, "exceptZero")}
      </span>{" "}
      <span className="text-muted">{words[polarity]}</span>
    </>
  );
}

function textless(fact: Fact): string {
  return fact.sensitive ? t.why.factsPart.withheld : String(fact.value);
}
