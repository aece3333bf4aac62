import { useRef, useState } from "react";

import { Card } from "@/components/Card";
import { t } from "@/strings/en";

import { ConflictWindow } from "./ConflictWindow";
import { complaints } from "./faults";
import { PreviewPart } from "./PreviewPart";
import { suggestedId } from "./rule";
import { RuleParts, type Way } from "./RuleParts";
import { SavePart } from "./SavePart";
import { useLeaveWarning } from "./useLeaveWarning";
import { usePreviews, type Audience, type Previews } from "./usePreviews";
import { useRuleEditor, type Opened, type Saved } from "./useRuleEditor";

interface Props {
  begin: Opened;
  /** Ids of all rules. */
  taken: ReadonlySet<string>;
  way: Way;
  onWay: (way: Way) => void;
  audience: Audience;
  onAudience: (change: Partial<Audience>) => void;
  onSaved: (saved: Saved, previews: Previews) => void;
  onDiscard: () => void;
}

/** A rule being written, and what it would do. */
export function RuleEditor({ begin, taken, way, onWay, audience, onAudience, onSaved, onDiscard }: Props) {
  const [opened, setOpened] = useState(begin);
  const [further, setFurther] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);
  const { draft } = opened;
  const suggested = suggestedId(draft, taken);
  const id = opened.id ?? (draft.id.trim() || suggested);
  const previews = usePreviews(draft, id, opened.id === null, audience);
  const editor = useRuleEditor(opened, setOpened, (saved) => {
    onSaved(saved, previews);
  });
  useLeaveWarning(draft !== begin.draft);
  const { errors, rest } = complaints(draft, previews, editor.errors);
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <RuleParts
        draft={draft}
        suggested={suggested}
        named={opened.id !== null}
        errors={errors}
        change={editor.change}
        way={way}
        onWay={onWay}
        further={further}
        onFurther={setFurther}
        nameField={nameField}
      />
      <div className="min-w-0 space-y-4">
        <SavePart
          editor={editor}
          previews={previews}
          rest={rest}
          general={errors[""]}
          id={id}
          onDiscard={onDiscard}
        />
        <Card title={t.rules.preview.title}>
          <PreviewPart
            draft={draft}
            id={id}
            isNew={opened.id === null}
            audience={audience}
            previews={previews}
            onAudience={onAudience}
          />
        </Card>
      </div>
      <ConflictWindow
        editor={editor}
        renaming={() => {
          setFurther(true);
          // After the window has given the focus back.
          setTimeout(() => nameField.current?.focus(), 50);
        }}
      />
    </div>
  );
}
