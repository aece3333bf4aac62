import { format } from "@/lib/format";
import { t } from "@/strings/en";

import type { Explanation } from "../queries";

/** The explanation in words, and who wrote it. */
export function Told({ answer }: { answer: Explanation }) {
  const { guard } = answer;
  const failed = guard.state === "refused" || guard.state === "no_answer" ? guard.state : null;
  return (
    <figure>
      <blockquote lang={answer.language} className="border-l-4 border-accent pl-4 text-base leading-relaxed">
        {answer.text}
      </blockquote>
      <figcaption className="mt-2 text-xs text-muted">
        {t.why.textBy[answer.text_source]} · {t.why.languageOf(format.language(answer.language))}
        {failed && ` · ${t.why.guard[failed]}`}
      </figcaption>
    </figure>
  );
}
