import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { groupLabel, ruleLabel } from "../labels";
import type { Explanation } from "../queries";
import { RuleLinks } from "../RuleLinks";
import { againstFirst } from "../sorting";
import { waterfallOf } from "../waterfall";
import { StageSteps } from "./StageSteps";
import { Title } from "./Title";
import { shown } from "./waterfallNumbers";

/** Of an item that is not in the list: how far it came, and what kept it from coming further. */
export function Stage({ answer }: { answer: Explanation }) {
  return (
    <div className="space-y-3 text-sm">
      <p className="text-base font-medium">{t.why.stages.names[answer.stage]}</p>
      <StageSteps answer={answer} />
      {answer.set_back && <p>{t.why.setBack}</p>}
      <KeptOut answer={answer} />
      <Gap answer={answer} />
    </div>
  );
}

/** Filters and rules without which it might be in the list. */
function KeptOut({ answer }: { answer: Explanation }) {
  const forbidding = answer.rules.filter(({ allows }) => !allows);
  const filters = forbidding.filter(({ by }) => by !== "shop");
  const rules = [
    ...forbidding.filter(({ by }) => by === "shop").map(({ name }) => name),
    ...(answer.kept_out_by ?? []),
  ];
  return (
    <>
      {filters.map(({ name }) => (
        <p key={name}>{t.why.whyNot.broken[name] ?? t.why.whyNot.filter(ruleLabel(name))}</p>
      ))}
      {rules.length > 0 && (
        <p>
          {t.why.rules.keptOut} <RuleLinks ids={[...new Set(rules)]} />.
        </p>
      )}
    </>
  );
}

/** How much it lacks of the last that came further, and what takes it away. */
function Gap({ answer }: { answer: Explanation }) {
  const chart = waterfallOf(answer);
  const { reference, contributions, contributions_of: of } = answer;
  if (!chart || !reference) return null;
  const against = againstFirst(contributions ?? []).slice(0, 3);
  const gap = chart.endUnits - chart.startUnits;
  const words = t.why.whyNot;
  return (
    <div className="rounded-lg bg-sunken p-3">
      <p>
        {of === "source_sum" ? words.lastFinalist : words.last} <Title item={reference} />:{" "}
        {words.scores(shown(chart.startUnits, chart), shown(chart.endUnits, chart))}{" "}
        <span className="font-medium">
          {gap < 0 ? words.missing(shown(-gap, chart)) : words.ahead(shown(gap, chart))}
        </span>
      </p>
      {against.length > 0 && (
        <p className="mt-1">
          {words.against}{" "}
          {against
            .map(({ group, value }) => `${groupLabel(group)} (${format.signed(value, chart.digits)})`)
            .join(", ")}
        </p>
      )}
    </div>
  );
}
