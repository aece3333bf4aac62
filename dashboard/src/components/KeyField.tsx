import { useState } from "react";

import { apiKey, useApiKey } from "@/api/apiKey";
import { t } from "@/strings/en";

import { announce } from "./Announcer";
import { Button } from "./Button";
import { TextField } from "./Field";

/** What a header of a request may hold. */
const SENDABLE = /^[\x20-\x7e]+$/;

/** Where the API key is typed in. It stays in this tab. */
export function KeyField({ onSaved }: { onSaved?: () => void }) {
  const current = useApiKey();
  const [typed, setTyped] = useState("");
  const [refused, setRefused] = useState(false);
  return (
    <form
      className="w-full max-w-sm space-y-3 text-left"
      onSubmit={(event) => {
        event.preventDefault();
        const key = typed.trim();
        setRefused(!SENDABLE.test(key));
        if (!SENDABLE.test(key)) return;
        apiKey.set(key);
        setTyped("");
        announce(t.key.saved);
        onSaved?.();
      }}
    >
      <TextField
        label={t.key.label}
        hint={t.key.hint}
        error={refused ? t.key.noKey : undefined}
        type="password"
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
        required
      />
      <div className="flex gap-2">
        <Button type="submit" look="primary">
          {t.key.save}
        </Button>
        {current && (
          <Button
            onClick={() => {
              apiKey.set("");
              announce(t.key.removed);
              onSaved?.();
            }}
          >
            {t.key.remove}
          </Button>
        )}
      </div>
    </form>
  );
}
