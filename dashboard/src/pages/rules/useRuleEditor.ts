import { useState, type Dispatch, type SetStateAction } from "react";

import { ApiError } from "@/api/client";

import { fieldErrors, type FieldErrors } from "./faults";
import { ruleNow, useSaveRule } from "./queries";
import { draftOf, termsOf, type Draft, type RuleRow, type RuleTerms } from "./rule";

/** A rule as it was opened, with what was typed since. */
export interface Opened {
  /** Null: a new one. */
  id: string | null;
  /** Of the rule that was read; null: the store holds none of this id. */
  version: number | null;
  draft: Draft;
}

export interface Saved {
  id: string;
  done: "created" | "replaced" | "nothing";
  enabled: boolean;
}

/** Somebody was faster: the rule as it is now, or null where it was deleted; with what was to be saved. */
export interface Conflict {
  id: string;
  theirs: RuleRow | null;
  ours: RuleTerms;
}

export interface Editor {
  opened: Opened;
  change: (change: Partial<Draft>) => void;
  save: (id: string) => void;
  saving: boolean;
  /** What the server refused of the last save, by field. */
  errors: FieldErrors;
  failure: Error | null;
  conflict: Conflict | null;
  takeTheirs: () => void;
  keepOurs: () => void;
  closeConflict: () => void;
}

/** What is typed of a rule: changed, saved, and compared with what somebody else made of the rule meanwhile. */
export function useRuleEditor(
  opened: Opened,
  setOpened: Dispatch<SetStateAction<Opened>>,
  onSaved: (saved: Saved) => void,
): Editor {
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [lookFailure, setLookFailure] = useState<Error | null>(null);
  const saver = useSaveRule();
  const { draft } = opened;

  const put = (id: string, terms: RuleTerms, version: number | null) => {
    setConflict(null);
    setLookFailure(null);
    saver.mutate(
      { id, terms, version },
      {
        onSuccess: ({ done, rule }) => {
          onSaved({ id, done, enabled: rule.state !== "disabled" });
        },
        onError: (error) => {
          if (error instanceof ApiError && error.status === 412)
            ruleNow(id).then((theirs) => {
              setConflict({ id, theirs, ours: terms });
            }, setLookFailure);
        },
      },
    );
  };
  const refused = saver.error instanceof ApiError ? saver.error : null;
  const told = refused?.status === 422 || refused?.status === 412;
  return {
    opened,
    change: (change) => {
      if (refused?.status === 422) saver.reset();
      setOpened((before) => ({ ...before, draft: { ...before.draft, ...change } }));
    },
    save: (id) => {
      put(id, termsOf(draft), opened.version);
    },
    saving: saver.isPending,
    errors: refused?.status === 422 ? fieldErrors(refused.detail) : {},
    failure: lookFailure ?? (told ? null : saver.error),
    conflict,
    takeTheirs: () => {
      const theirs = conflict?.theirs;
      if (theirs)
        setOpened({ id: theirs.id, version: theirs.version, draft: draftOf(theirs.id, theirs.terms) });
      setConflict(null);
    },
    keepOurs: () => {
      if (conflict) put(conflict.id, conflict.ours, conflict.theirs?.version ?? null);
    },
    closeConflict: () => {
      setConflict(null);
    },
  };
}
