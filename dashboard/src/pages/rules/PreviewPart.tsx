import { useState } from "react";

import { suggestUsers } from "@/api/suggestions";
import { Autocomplete } from "@/components/Autocomplete";
import { Button } from "@/components/Button";
import { Failure } from "@/components/Failure";
import { SelectField, TextField } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { SkeletonLines } from "@/components/Skeleton";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { ComparedLists } from "./ComparedLists";
import { differs } from "./lists";
import type { Preview } from "./queries";
import { previewContext, type Draft } from "./rule";
import type { Audience, Previews } from "./usePreviews";

const words = t.rules.preview;

interface Props {
  draft: Draft;
  id: string;
  isNew: boolean;
  audience: Audience;
  previews: Previews;
  onAudience: (change: Partial<Audience>) => void;
}

/** The lists without the rule beside those with it. */
export function PreviewPart({ draft, id, isNew, audience, previews, onAudience }: Props) {
  return (
    <div className="space-y-4">
      <p className="text-sm text-muted">{words.lead}</p>
      <AudienceFields draft={draft} audience={audience} onAudience={onAudience} />
      {!draft.enabled && <Notice>{words.off}</Notice>}
      {previews.asOf && <Notice>{words.asOf(format.time(previews.asOf))}</Notice>}
      <Outcome id={id} isNew={isNew} previews={previews} />
    </div>
  );
}

function AudienceFields({ draft, audience, onAudience }: Omit<Props, "id" | "isNew" | "previews">) {
  return (
    <div className="flex flex-wrap items-end gap-3">
      <div className="min-w-0 flex-1 basis-48">
        <Autocomplete
          label={words.user}
          placeholder={words.sample}
          name="users"
          value={audience.user}
          suggest={suggestUsers}
          textOf={({ user_id }) => user_id}
          show={({ user_id }) => user_id}
          onChoose={({ user_id }) => {
            onAudience({ user: user_id });
          }}
          onSubmit={(typed) => {
            onAudience({ user: typed.trim() });
          }}
        />
      </div>
      {audience.user ? (
        <Button
          onClick={() => {
            onAudience({ user: "" });
          }}
        >
          {words.useSample}
        </Button>
      ) : (
        <Button
          onClick={() => {
            onAudience({ seed: audience.seed + 1 });
          }}
        >
          {words.next}
        </Button>
      )}
      {Object.entries(previewContext(draft, audience.context)).map(([name, value]) => (
        <div key={name} className="min-w-0 basis-full">
          <TextField
            label={words.context(name)}
            value={value}
            autoComplete="off"
            onChange={(event) => {
              onAudience({ context: { ...audience.context, [name]: event.target.value } });
            }}
          />
        </div>
      ))}
    </div>
  );
}

function Outcome({ id, isNew, previews }: Pick<Props, "id" | "isNew" | "previews">) {
  const { without, changed, failure, waiting, errors, findings } = previews;
  if (failure)
    return <Failure error={failure} retry={previews.retry} retrying={waiting} failures={previews.failures} />;
  if (Object.keys(errors).length > 0 || findings.some(({ problem }) => problem === "fault"))
    return <p className="text-sm text-muted">{words.cannot}</p>;
  if (!without || !changed)
    return waiting ? <SkeletonLines lines={8} /> : <p className="text-sm text-muted">{words.wait}</p>;
  return (
    <div aria-busy={waiting}>
      <Numbers id={id} preview={changed} />
      <Lists title={isNew ? words.before : words.without} without={without} changed={changed} />
    </div>
  );
}

function Numbers({ id, preview }: { id: string; preview: Preview }) {
  const part = preview.parts.find(({ rule }) => rule === id);
  const changed = part?.lists_changed ?? 0;
  return (
    <div role="status" className="mb-4 text-sm">
      <p className="font-medium">
        {changed === 0 ? words.nothing : words.parts(format.count(changed), format.count(preview.users))}
      </p>
      {part && changed > 0 && (
        <p className="text-muted">
          {[
            words.acts(format.count(part.active)),
            words.itemsIn(format.count(part.items_in)),
            words.itemsOut(format.count(part.items_out)),
            words.moves(format.decimal(part.rank_change)),
          ].join(" · ")}
        </p>
      )}
    </div>
  );
}

function Lists({ title, without, changed }: { title: string; without: Preview; changed: Preview }) {
  const [chosen, setChosen] = useState("");
  const before = new Map(without.lists.map((list) => [list.user_id, list]));
  const pairs = changed.lists.flatMap((after) => {
    const was = before.get(after.user_id);
    return was
      ? [{ user: after.user_id, was: was.after, is: after, differs: differs(was.after, after.after) }]
      : [];
  });
  // Those on which something is to be seen come first.
  const sorted = [...pairs.filter((pair) => pair.differs), ...pairs.filter((pair) => !pair.differs)];
  const shown = sorted.find(({ user }) => user === chosen) ?? sorted[0];
  if (!shown) return <SkeletonLines lines={8} />;
  return (
    <div className="space-y-3">
      {sorted.length > 1 && (
        <SelectField
          label={words.listOf}
          value={shown.user}
          options={sorted.map(({ user, differs: changes }) => ({
            value: user,
            label: changes ? words.changes(user) : words.stays(user),
          }))}
          onChange={setChosen}
        />
      )}
      {!shown.is.known && <Notice>{words.unknownUser}</Notice>}
      {!shown.differs && sorted.length === 1 && <p className="text-sm">{words.same}</p>}
      <ComparedLists title={title} before={shown.was} after={shown.is.after} />
      {shown.is.shortened_by.length > 0 && (
        <Notice tone="warn">{words.shortened(shown.is.shortened_by.join(", "))}</Notice>
      )}
    </div>
  );
}
