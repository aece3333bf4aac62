import { Badge } from "@/components/Badge";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { kindLabel } from "../labels";
import type { Explanation } from "../queries";
import { Part } from "./Part";

type Fact = Explanation["facts"][number];

/** Single true statements, on which the text rests. */
export function Facts({ answer }: { answer: Explanation }) {
  const { facts, cites } = answer;
  return (
    <Part title={t.why.factsPart.title} lead={t.why.factsPart.lead}>
      {facts.length === 0 && <p className="text-sm text-muted">{t.why.factsPart.empty}</p>}
      <ul className="space-y-2">
        {facts.map((fact) => (
          <li key={fact.id} className="grid gap-x-4 gap-y-0.5 text-sm sm:grid-cols-[11rem_1fr_9rem]">
            <span className="font-medium">{kindLabel(fact.kind)}</span>
            <span className="min-w-0">
              {fact.text ?? <span className="text-muted">{textless(fact)}</span>}{" "}
              {cites.includes(fact.id) && <Badge tone="accent">{t.why.factsPart.cited}</Badge>}
            </span>
            <span className="text-xs sm:text-right">
              <span className={fact.polarity === "for" ? "text-good" : "text-bad"}>
                {fact.strength === null
                  ? t.why.factsPart.noStrength
                  : format.fixed(fact.strength, 3, "exceptZero")}
              </span>{" "}
              <span className="text-muted">
                {fact.polarity === "for" ? t.why.factsPart.for : t.why.factsPart.against}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function textless(fact: Fact): string {
  return fact.sensitive ? t.why.factsPart.withheld : String(fact.value);
}
