import { Badge } from "@/components/Badge";
import { t } from "@/strings/en";

import type { Finding } from "./faults";

const words = t.rules.editor;

/** What is wrong with a rule, and what can be done about it. */
export function Findings({ findings }: { findings: Finding[] }) {
  if (findings.length === 0) return null;
  return (
    <ul className="space-y-2">
      {findings.map(({ problem, message, remedy, of_sample: ofSample }) => (
        <li key={`${problem} ${message}`} className="rounded-lg bg-sunken px-3 py-2 text-sm">
          <Badge tone={problem === "fault" ? "bad" : "warn"}>{words.problems[problem]}</Badge>
          <p className="mt-1">{message}</p>
          <p className="text-muted">
            {words.remedy(remedy)} {ofSample && words.ofSample}
          </p>
        </li>
      ))}
    </ul>
  );
}
