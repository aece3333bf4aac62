import { UserPlus } from "lucide-react";
import { useEffect } from "react";

import type { Schema } from "@/api/client";
import { suggestUsers } from "@/api/suggestions";
import { Autocomplete } from "@/components/Autocomplete";
import { Button } from "@/components/Button";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { remember, useRecentUsers } from "./recentUsers";
import { isVisitor, type Change, type State } from "./state";

const text = t.recommendations.who;

/** Whose list it is: a user found by id, one of those looked at before, or a new visitor. */
export function Who({ state, change }: { state: State; change: Change }) {
  const recent = useRecentUsers();
  const { user } = state;
  useEffect(() => {
    if (user) remember(user);
  }, [user]);
  const others = recent.filter((id) => id !== user);
  const visitor = isVisitor(state);
  return (
    <div className="min-w-0">
      <div className="flex flex-wrap items-end gap-2">
        <div className="min-w-40 flex-1">
          <UserSearch state={state} change={change} />
        </div>
        <Button
          aria-pressed={visitor}
          look={visitor ? "primary" : "plain"}
          onClick={() => {
            change({ user: "", visitor: "1", page: "1" });
          }}
        >
          <UserPlus aria-hidden="true" className="size-4" />
          {text.visitor}
        </Button>
      </div>
      {others.length > 0 && (
        <div className="mt-2 flex flex-wrap items-center gap-x-1 gap-y-0.5 text-xs">
          <span className="mr-1 text-muted">{text.recent}</span>
          {others.map((id) => (
            <Button
              key={id}
              look="quiet"
              size="small"
              className="max-w-48"
              onClick={() => {
                change(ofUser(id));
              }}
            >
              <span className="truncate">{id}</span>
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}

/** The change of the page's state that shows a user's list. */
export function ofUser(user: string): Partial<State> {
  return { user, session: "", visitor: "", page: "1", find: "" };
}

export function UserSearch({ state, change }: { state: State; change: Change }) {
  return (
    <Autocomplete
      label={text.user}
      placeholder={text.userPlaceholder}
      value={state.user}
      name="users"
      suggest={suggestUsers}
      textOf={(row) => row.user_id}
      show={(row) => <UserRow row={row} />}
      onChoose={(row) => {
        change(ofUser(row.user_id));
      }}
      onSubmit={(typed) => {
        if (typed.trim()) change(ofUser(typed.trim()));
      }}
    />
  );
}

/** A user among others to choose from. */
export function UserRow({ row }: { row: Schema<"UserRow"> }) {
  return (
    <span className="block min-w-0">
      <span className="block truncate font-medium">{row.user_id}</span>
      <span className="block truncate text-xs text-muted">
        {text.interactions(row.interactions, format.count(row.interactions))}
        {row.live_events > 0 && ` · ${text.liveEvents(row.live_events, format.count(row.live_events))}`}
      </span>
    </span>
  );
}
