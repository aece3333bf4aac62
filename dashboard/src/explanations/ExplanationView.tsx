import { Notice } from "@/components/Notice";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { Borrowed } from "./parts/Borrowed";
import { Comparison } from "./parts/Comparison";
import { Counterfactual } from "./parts/Counterfactual";
import { Facts } from "./parts/Facts";
import { Features } from "./parts/Features";
import { HistoryBehind } from "./parts/HistoryBehind";
import { Measures } from "./parts/Measures";
import { Rules } from "./parts/Rules";
import { Sources } from "./parts/Sources";
import { Stage } from "./parts/Stage";
import { Told } from "./parts/Told";
import type { Explanation } from "./queries";
import { isListed } from "./stages";

/** An explanation, from its sentence to its last number. */
export function ExplanationView({ answer, request }: { answer: Explanation; request: ListRequest }) {
  return (
    <div className="@container space-y-6" data-state="explanation">
      <Told answer={answer} />
      <Fallback answer={answer} />
      {!isListed(answer.stage) && <Stage answer={answer} />}
      <Measures answer={answer} />
      <Comparison answer={answer} request={request} />
      <HistoryBehind answer={answer} />
      <Counterfactual answer={answer} />
      <Facts answer={answer} />
      <Sources answer={answer} />
      <Borrowed answer={answer} />
      <Rules answer={answer} />
      <Features answer={answer} />
    </div>
  );
}

function Fallback({ answer }: { answer: Explanation }) {
  if (!answer.fallback_used) return null;
  return (
    <Notice>
      {t.why.popular} {answer.fallback_reason && t.why.fallbackReason(answer.fallback_reason)}
    </Notice>
  );
}
