import { useState } from "react";

import { announce } from "@/components/Announcer";
import { useUrlState } from "@/lib/urlState";

import { EditorView } from "./EditorView";
import { ListView } from "./ListView";
import { DEFAULTS, LIST, savedText, type JustSaved } from "./view";

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
          setView(LIST);
        }}
      />
    );
  }
  return <ListView view={view} setView={setView} saved={saved} />;
}
