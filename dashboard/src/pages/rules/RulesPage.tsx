import { useState } from "react";

import { announce } from "@/components/Announcer";
import { useUrlState } from "@/lib/urlState";
import { t } from "@/strings/en";

import { EditorView } from "./EditorView";
import { ListView } from "./ListView";
import type { Saved } from "./useRuleEditor";

/** `rule`: the one that is edited; `new`: one that is yet to be, with what `brand`, `item` or `action` say of it. */
const DEFAULTS = {
  rule: "",
  new: "",
  brand: "",
  item: "",
  action: "",
  way: "form",
  user: "",
  seed: "0",
  history: "",
};
export type View = typeof DEFAULTS;

/** What was just saved, and a user on whose list it can be seen. */
export interface JustSaved extends Saved {
  user: string;
}

export default function RulesPage() {
  const [view, setView] = useUrlState(DEFAULTS);
  const [saved, setSaved] = useState<JustSaved | null>(null);
  if (view.rule || view.new) {
    return (
      <EditorView
        key={view.rule}
        view={view}
        setView={setView}
        onSaved={(just) => {
          setSaved(just);
          announce(savedText(just));
          setView({ rule: "", new: "", brand: "", item: "", action: "", way: "form", user: "", seed: "0" });
        }}
      />
    );
  }
  return <ListView view={view} setView={setView} saved={saved} />;
}

export function savedText({ id, done, enabled }: Saved): string {
  if (done === "nothing") return t.rules.savedSame(id);
  return enabled ? t.rules.saved(id) : t.rules.savedOff(id);
}
