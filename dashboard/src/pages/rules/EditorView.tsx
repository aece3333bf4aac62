import { ArrowLeft } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";

import { EmptyState } from "@/components/EmptyState";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { PageHeading } from "@/components/PageHeading";
import { PageSkeleton } from "@/components/Skeleton";
import { t } from "@/strings/en";

import type { ItemCondition } from "./conditions";
import { differs } from "./lists";
import { useRules } from "./queries";
import { ACTION_TYPES, draftOf, newDraft, type RuleRow } from "./rule";
import { RuleEditor } from "./RuleEditor";
import type { Way } from "./RuleParts";
import type { Previews } from "./usePreviews";
import type { Opened } from "./useRuleEditor";
import { LIST, type JustSaved, type View } from "./view";

const words = t.rules;

interface Props {
  view: View;
  setView: (change: Partial<View>, options?: { replace?: boolean }) => void;
  onSaved: (saved: JustSaved) => void;
}

/** The page while a rule is written. What is typed outlives whatever becomes of the list of rules meanwhile. */
export function EditorView({ view, setView, onSaved }: Props) {
  const rules = useRules();
  const [begin, setBegin] = useState<Opened | null>(null);
  const [context, setContext] = useState<Record<string, string>>({});
  if (begin === null && rules.data) {
    const found = beginning(view, rules.data.rules);
    if (found) setBegin(found);
  }
  const known = rules.data?.rules ?? [];
  const back = () => {
    setView(LIST);
  };
  return (
    <>
      <PageHeading title={view.rule ? words.editTitle(view.rule) : words.newTitle}>
        <Link
          href="/rules"
          className="inline-flex min-h-7 items-center gap-1 text-sm text-accent hover:underline"
        >
          <ArrowLeft aria-hidden="true" className="size-4" />
          {words.back}
        </Link>
      </PageHeading>
      {rules.data && words.sources[rules.data.source] && (
        <div className="mb-4">
          <Notice tone="warn">{words.sources[rules.data.source]}</Notice>
        </div>
      )}
      {begin ? (
        <RuleEditor
          begin={begin}
          taken={new Set(known.map(({ id }) => id))}
          way={view.way === "text" ? "text" : "form"}
          onWay={(way: Way) => {
            setView({ way }, { replace: true });
          }}
          audience={{ user: view.user, seed: Number(view.seed) || 0, context }}
          onAudience={(change) => {
            if (change.context) setContext(change.context);
            if (change.user !== undefined) setView({ user: change.user }, { replace: true });
            if (change.seed !== undefined) setView({ seed: String(change.seed) }, { replace: true });
          }}
          onSaved={(saved, previews) => {
            onSaved({ ...saved, user: userToLookAt(view.user, previews) });
          }}
          onDiscard={back}
        />
      ) : rules.error ? (
        <Failure error={rules.error} retry={() => void rules.refetch()} retrying={rules.isFetching} />
      ) : rules.data ? (
        <EmptyState title={words.noSuch(view.rule)} />
      ) : (
        <PageSkeleton />
      )}
    </>
  );
}

/** The rule as it is now, or as a link begins a new one; null: it is not there. */
function beginning(view: View, rules: RuleRow[]): Opened | null {
  if (view.rule) {
    const found = rules.find(({ id }) => id === view.rule);
    return found ? { id: found.id, version: found.version, draft: draftOf(found.id, found.terms) } : null;
  }
  const where: ItemCondition = view.item
    ? { kind: "items", names: [view.item] }
    : { kind: "brand", names: view.brand ? [view.brand] : [] };
  const type = ACTION_TYPES.find((name) => name === view.action) ?? "hide";
  return { id: null, version: null, draft: newDraft([where], type) };
}

/** A user on whose list the rule is to be seen. */
function userToLookAt(chosen: string, { without, changed }: Previews): string {
  if (chosen) return chosen;
  const before = new Map((without?.lists ?? []).map((list) => [list.user_id, list.after]));
  const lists = changed?.lists ?? [];
  const seen = lists.find(({ user_id, after }) => differs(before.get(user_id) ?? [], after));
  return (seen ?? lists[0])?.user_id ?? "";
}
