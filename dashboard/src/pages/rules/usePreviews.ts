import { useMemo, useState } from "react";

import { ApiError, type Schema } from "@/api/client";
import { useDebounced } from "@/lib/useDebounced";

import { fieldErrors, type FieldErrors, type Finding } from "./faults";
import { usePreview, type Preview, type PreviewRequest } from "./queries";
import { lacksItems, previewContext, termsOf, type Draft } from "./rule";

const SAMPLE = 20;
const STANDS_STILL_MS = 350;

/** For whom lists are made: a user, or a draw of some. */
export interface Audience {
  user: string;
  seed: number;
  /** What requests say, by name. */
  context: Record<string, string>;
}

export interface Previews {
  /** Lists without the rule, which are those of today where it is new, and with it; undefined: not known yet. */
  without: Preview | undefined;
  changed: Preview | undefined;
  /** What is wrong with the rule. */
  findings: Finding[];
  /** What the server cannot read of it, by field. */
  errors: FieldErrors;
  /** Any other failure. */
  failure: Error | null;
  failures: number;
  retry: () => void;
  waiting: boolean;
  /** When the rule begins, where that is yet to come: both lists are those of then. */
  asOf: string | null;
}

/** What the draft would do, as soon as it stands still. */
export function usePreviews(draft: Draft, id: string, isNew: boolean, audience: Audience): Previews {
  const [openedAt] = useState(Date.now);
  const wanted = useMemo(
    () => (lacksItems(draft) ? null : requestOf(draft, id, audience, openedAt)),
    [draft, id, audience, openedAt],
  );
  // Compared as text: what says the same is not asked for anew.
  const settled = useDebounced(JSON.stringify(wanted), STANDS_STILL_MS);
  const request = useMemo(() => JSON.parse(settled) as PreviewRequest | null, [settled]);
  const without = usePreview(request && { ...request, rules: isNew ? [] : [switchedOff(id)] });
  const changed = usePreview(request);
  const refusal = changed.error instanceof ApiError && changed.error.status === 422 ? changed.error : null;
  const known = request && !changed.error ? changed.data : undefined;
  return {
    without: request ? without.data : undefined,
    changed: known,
    findings: (known?.findings ?? []).filter(({ rules }) => rules.includes(id)),
    errors: refusal && request ? fieldErrors(refusal.detail) : {},
    failure: refusal ? null : request && (changed.error ?? without.error),
    failures: changed.errorUpdateCount + without.errorUpdateCount,
    retry: () => {
      void changed.refetch();
      void without.refetch();
    },
    waiting: wanted !== null && (changed.isFetching || settled !== JSON.stringify(wanted)),
    asOf: typeof request?.as_of === "string" ? request.as_of : null,
  };
}

/** Stands in the place of a rule that is there, so that lists are as without it. */
function switchedOff(id: string): Schema<"Rule"> {
  return { id, action: { type: "mmr", weight: 0 }, priority: 0, enabled: false, note: "" };
}

function requestOf(draft: Draft, id: string, audience: Audience, now: number): PreviewRequest {
  const terms = termsOf(draft);
  const begins = terms.valid_from ? Date.parse(terms.valid_from) : NaN;
  const context = Object.fromEntries(
    Object.entries(previewContext(draft, audience.context)).filter(([, value]) => value !== ""),
  );
  return {
    ...(audience.user ? { user_ids: [audience.user] } : { user_ids: [] }),
    sample: SAMPLE,
    seed: audience.seed,
    show: audience.user ? 1 : SAMPLE,
    // A rule that is off is shown as it would act.
    rules: [{ ...terms, id, enabled: true }],
    ...(terms.scenario ? { scenario: terms.scenario } : {}),
    ...(begins > now ? { as_of: terms.valid_from ?? null } : {}),
    context,
  };
}
