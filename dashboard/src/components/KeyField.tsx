import { useState } from "react";

import { apiKey, useApiKey } from "@/api/apiKey";
import { t } from "@/strings/en";

import { announce } from "./Announcer";
import { Button } from "./Button";
import { TextField } from "./Field";

/** Where the API key is typed in. It stays in this tab. */
export function KeyField({ onSaved }: { onSaved?: () => void }) {
  const current = useApiKey();
  const [typed, setTyped] = useState("");
  return (
    <form
      className="w-full max-w-sm space-y-3 text-left"
      onSubmit={(event) => {
        event.preventDefault();
        apiKey.set(typed.trim());
        setTyped("");
        announce(t.key.saved);
        onSaved?.();
      }}
    >
      <TextField
        label={t.key.label}
        hint={t.key.hint}
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
