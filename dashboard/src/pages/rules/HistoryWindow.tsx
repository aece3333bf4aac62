import { Badge } from "@/components/Badge";
import { Button } from "@/components/Button";
import { EmptyState } from "@/components/EmptyState";
import { QueryView } from "@/components/QueryView";
import { Window } from "@/components/Window";
import { format } from "@/lib/format";
import type { Schema } from "@/api/client";
import { t } from "@/strings/en";

import { TermsText } from "./ConflictWindow";
import { useRuleChanges } from "./queries";
import { sentenceOf } from "./sentence";

const words = t.rules.changes;
const TONES = { created: "good", replaced: "accent", deleted: "bad" } as const;

interface Props {
  /** Id of a rule; "all"; empty: closed. */
  of: string;
  onClose: () => void;
  onAll: () => void;
}

/** Who changed which rule when. */
export function HistoryWindow({ of, onClose, onAll }: Props) {
  const one = of !== "" && of !== "all";
  return (
    <Window open={of !== ""} onClose={onClose} title={one ? words.of(of) : words.title} wide>
      {one && (
        <Button size="small" className="mb-4" onClick={onAll}>
          {words.all}
        </Button>
      )}
      {of !== "" && <Changes ruleId={one ? of : ""} />}
    </Window>
  );
}

function Changes({ ruleId }: { ruleId: string }) {
  const changes = useRuleChanges(ruleId);
  return (
    <QueryView query={changes}>
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.changes);
        if (rows.length === 0) return <EmptyState title={words.none} />;
        return (
          <>
            <ol className="space-y-3">
              {rows.map((row) => (
                <Change key={row.version} row={row} />
              ))}
            </ol>
            {changes.hasNextPage && (
              <Button
                className="mt-4"
                disabled={changes.isFetchingNextPage}
                onClick={() => void changes.fetchNextPage()}
              >
                {words.more}
              </Button>
            )}
          </>
        );
      }}
    </QueryView>
  );
}

function Change({ row }: { row: Schema<"RuleChangeRow"> }) {
  return (
    <li className="rounded-lg border border-line p-3 text-sm">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-mono wrap-anywhere">{row.rule_id}</span>
        <Badge tone={TONES[row.action]}>{words.done[row.action]}</Badge>
        <span className="text-muted">
          {row.at && format.time(row.at)} {row.who ? words.by(row.who) : words.nobody}
        </span>
      </p>
      <dl className="mt-2 space-y-1">
        {row.before && <Said label={words.before} terms={row.before} />}
        {row.after && <Said label={words.after} terms={row.after} />}
      </dl>
      <details className="mt-2">
        <summary className="text-xs text-accent">{words.terms}</summary>
        {row.before && <TermsText terms={row.before} />}
        {row.after && <TermsText terms={row.after} />}
      </details>
    </li>
  );
}

function Said({ label, terms }: { label: string; terms: Record<string, unknown> }) {
  return (
    <div className="flex flex-wrap gap-x-2">
      <dt className="w-14 text-muted">{label}</dt>
      <dd className="min-w-0 flex-1 basis-48">
        {sentenceOf(terms)} {terms["enabled"] === false && <Badge>{t.rules.states.disabled}</Badge>}
      </dd>
    </div>
  );
}
