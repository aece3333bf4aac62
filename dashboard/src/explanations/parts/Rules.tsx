import { Check, X } from "lucide-react";

import { t } from "@/strings/en";

import { ruleLabel } from "../labels";
import type { Explanation } from "../queries";
import { RuleLinks } from "../RuleLinks";
import { Named } from "./Named";
import { Part } from "./Part";

/** Filters and rules that had a say in whether the item is in the list, and where. */
export function Rules({ answer }: { answer: Explanation }) {
  const { rules, moved_by: movedBy = [], kept_out_by: keptOutBy = [], rank_before: before, rank } = answer;
  const words = t.why.rules;
  return (
    <Part title={words.title}>
      <ul className="space-y-1.5 text-sm">
        {rules.map((rule) => (
          <li key={`${rule.by ?? ""} ${rule.name}`} className="flex items-start gap-2">
            {rule.allows ? (
              <Check aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-good" />
            ) : (
              <X aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-bad" />
            )}
            <span className="min-w-0">
              {rule.by === "shop" ? (
                <RuleLinks ids={[rule.name]} />
              ) : (
                <Named label={ruleLabel(rule.name)} name={rule.name} />
              )}
              {": "}
              <span className="font-medium">{rule.allows ? words.allows : words.forbids}</span>
              {rule.by === "shop" && <span className="text-muted"> ({words.ofShop})</span>}
            </span>
          </li>
        ))}
        {movedBy.length > 0 && (
          <li>
            {words.moved} <RuleLinks ids={movedBy} />
            {before !== undefined && before !== rank && `; ${words.from(before)}`}
          </li>
        )}
        {keptOutBy.length > 0 && (
          <li>
            {words.keptOut} <RuleLinks ids={keptOutBy} />
          </li>
        )}
      </ul>
      {rules.length + movedBy.length + keptOutBy.length === 0 && (
        <p className="text-sm text-muted">{words.none}</p>
      )}
    </Part>
  );
}
