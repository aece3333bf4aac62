import { useState } from "react";

import { useMay } from "@/api/queries";
import { announce } from "@/components/Announcer";
import { Button } from "@/components/Button";
import { SelectField, TextField } from "@/components/Field";
import { failureText, missingScope } from "@/components/failureText";
import { ItemField } from "@/components/ItemField";
import { KeyField } from "@/components/KeyField";
import { Notice } from "@/components/Notice";
import { t } from "@/strings/en";

import { useSendEvent } from "../queries";
import { actionText } from "../actions";
import { EMPTY_DRAFT, eventOf, TYPES } from "./events";

interface Props {
  userId: string;
  /** Told just before an event is sent, and once it is on disk. */
  onSending: () => void;
  onSent: () => void;
}

/** Say what the user did, as a shop's server would. */
export function EventForm({ userId, onSending, onSent }: Props) {
  const mayWrite = useMay("write");
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const send = useSendEvent();
  const event = eventOf(userId, draft);
  if (mayWrite === false) return <NeedsScope scope="write" />;
  const title = draft.item?.title ?? draft.item?.item_id ?? "";
  return (
    <form
      className="space-y-4"
      onSubmit={(submit) => {
        submit.preventDefault();
        if (!event) return;
        onSending();
        send.mutate(event, {
          onSuccess: () => {
            announce(t.user.live.sent(actionText(event.event_type), title));
            onSent();
          },
        });
      }}
    >
      <ItemField
        label={t.user.live.item}
        placeholder={t.user.live.itemHint}
        value={title}
        onChoose={(item) => {
          setDraft({ ...draft, item });
        }}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          label={t.user.live.type}
          value={draft.type}
          options={TYPES.map((value) => ({ value, label: actionText(value) }))}
          onChange={(value) => {
            setDraft({ ...draft, type: TYPES.find((type) => type === value) ?? "view" });
          }}
        />
        {draft.type === "rating" && (
          <TextField
            label={t.user.live.rating}
            hint={t.user.live.ratingHint}
            error={draft.item && !event ? t.user.live.noRating : undefined}
            inputMode="decimal"
            value={draft.rating}
            onChange={({ target }) => {
              setDraft({ ...draft, rating: target.value });
            }}
          />
        )}
      </div>
      <Button type="submit" look="primary" disabled={!event || send.isPending}>
        {send.isPending ? t.user.live.sending : t.user.live.send}
      </Button>
      {!draft.item && <p className="text-xs text-muted">{t.user.live.chooseFirst}</p>}
      {send.error && <SendFailure error={send.error} />}
      {send.data && !send.error && (
        <p className="text-sm text-good">
          {(send.data.unknown_items ?? 0) > 0 ? t.user.live.sentUnknown : t.user.live.accepted}
        </p>
      )}
    </form>
  );
}

function SendFailure({ error }: { error: Error }) {
  const scope = missingScope(error);
  if (scope) return <NeedsScope scope={scope} />;
  const { title, detail } = failureText(error);
  return (
    <div role="alert">
      <Notice tone="bad">
        {title}
        {detail && `: ${detail}`}
      </Notice>
    </div>
  );
}

function NeedsScope({ scope }: { scope: string }) {
  return (
    <div className="space-y-4" data-state="scope-missing">
      <Notice tone="warn">{t.user.live.needsScope(scope)}</Notice>
      <KeyField />
    </div>
  );
}
