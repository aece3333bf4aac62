import { Button } from "@/components/Button";
import { Window } from "@/components/Window";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { sentenceOf } from "./sentence";
import type { Editor } from "./useRuleEditor";

const words = t.rules.conflict;

/** Theirs and ours, where somebody else was faster; the person chooses. */
export function ConflictWindow({ editor, renaming }: { editor: Editor; renaming: () => void }) {
  const { conflict, opened } = editor;
  const isNew = opened.id === null;
  const theirs = conflict?.theirs;
  const text = !theirs ? words.gone : isNew ? words.takenText : words.text;
  return (
    <Window
      open={conflict !== null}
      onClose={editor.closeConflict}
      title={isNew ? words.taken : words.title}
      lead={text}
    >
      {conflict && (
        <div className="space-y-5">
          {theirs && (
            <Side
              title={words.theirs}
              terms={theirs.terms}
              note={
                theirs.updated_at ? t.rules.changed(format.time(theirs.updated_at), theirs.updated_by) : ""
              }
            />
          )}
          <Side title={words.ours} terms={{ ...conflict.ours }} />
          <div className="flex flex-wrap gap-2">
            {isNew && theirs && (
              <Button
                look="primary"
                onClick={() => {
                  editor.closeConflict();
                  renaming();
                }}
              >
                {words.rename}
              </Button>
            )}
            {theirs && (
              <Button look={isNew ? "plain" : "primary"} onClick={editor.takeTheirs}>
                {words.takeTheirs}
              </Button>
            )}
            <Button look={theirs ? "danger" : "primary"} onClick={editor.keepOurs}>
              {theirs ? words.keepOurs : words.create}
            </Button>
          </div>
        </div>
      )}
    </Window>
  );
}

function Side({ title, terms, note }: { title: string; terms: Record<string, unknown>; note?: string }) {
  return (
    <section>
      <h3 className="text-sm font-semibold">{title}</h3>
      {note && <p className="text-xs text-muted">{note}</p>}
      <p className="mt-1 text-sm">{sentenceOf(terms)}</p>
      <TermsText terms={terms} />
    </section>
  );
}

/** The terms as the API has them. */
export function TermsText({ terms }: { terms: Record<string, unknown> }) {
  return (
    <pre className="mt-2 overflow-x-auto rounded-lg bg-sunken p-3 font-mono text-xs whitespace-pre-wrap">
      {JSON.stringify(terms, null, 2)}
    </pre>
  );
}
