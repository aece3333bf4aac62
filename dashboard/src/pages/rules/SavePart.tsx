import { useMay } from "@/api/queries";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { t } from "@/strings/en";

import type { Finding } from "./faults";
import { Findings } from "./Findings";
import { lacksItems } from "./rule";
import { sentence } from "./sentence";
import type { Previews } from "./usePreviews";
import type { Editor } from "./useRuleEditor";

const words = t.rules.editor;

interface Props {
  editor: Editor;
  previews: Previews;
  /** Findings that belong to no field. */
  rest: Finding[];
  general: string | undefined;
  id: string;
  onDiscard: () => void;
}

/** The rule in words, whether something is wrong with it, and how to keep it. */
export function SavePart({ editor, previews, rest, general, id, onDiscard }: Props) {
  const { draft } = editor.opened;
  const lacks = lacksItems(draft);
  const mayNot = useMay("admin") === false;
  return (
    <Card title={words.summary}>
      <p className="mb-3 wrap-anywhere">{lacks ? words.needItems : sentence(draft)}</p>
      <div aria-live="polite" className="mb-4 space-y-2 text-sm">
        {!lacks && <Judgement previews={previews} atFields={rest.length === 0 && !general} />}
        <Findings findings={rest} />
        {general && <p className="text-bad">{general}</p>}
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Button
          look="primary"
          disabled={lacks}
          aria-disabled={editor.saving}
          onClick={() => {
            if (!editor.saving) editor.save(id);
          }}
        >
          {editor.saving ? words.saving : words.save}
        </Button>
        <Button onClick={onDiscard}>{words.discard}</Button>
        <span className="font-mono text-xs wrap-anywhere text-muted">{id}</span>
      </div>
      {mayNot && !editor.failure && (
        <div className="mt-4">
          <Notice tone="warn">{t.failures.scope("admin")}</Notice>
        </div>
      )}
      {editor.failure && (
        <div className="mt-4 space-y-2">
          <p className="text-sm text-muted">{words.keptTyped}</p>
          <Failure error={editor.failure} />
        </div>
      )}
    </Card>
  );
}

function Judgement({ previews, atFields }: { previews: Previews; atFields: boolean }) {
  const { waiting, findings, errors, failure, changed } = previews;
  if (waiting) return <p className="text-muted">{words.checking}</p>;
  if (failure || !changed) return null;
  if (findings.length > 0 || Object.keys(errors).length > 0)
    return <p className="text-warn">{atFields ? words.atFields : words.findings}</p>;
  return <p className="text-good">{words.fine}</p>;
}
