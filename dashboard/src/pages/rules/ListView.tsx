import { History, Plus } from "lucide-react";
import { Link } from "wouter";

import { Button, buttonLook } from "@/components/Button";
import { EmptyState } from "@/components/EmptyState";
import { pathOf } from "@/components/Links";
import { Notice } from "@/components/Notice";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
import { t } from "@/strings/en";

import { HistoryWindow } from "./HistoryWindow";
import { useRules } from "./queries";
import { RuleCard } from "./RuleCard";
import { savedText, type JustSaved, type View } from "./view";

const words = t.rules;

interface Props {
  view: View;
  setView: (change: Partial<View>, options?: { replace?: boolean }) => void;
  saved: JustSaved | null;
}

/** All rules of the shop. */
export function ListView({ view, setView, saved }: Props) {
  const rules = useRules();
  return (
    <>
      <PageHeading title={words.title} lead={words.lead}>
        <div className="flex flex-wrap gap-2">
          <Button
            onClick={() => {
              setView({ history: "all" });
            }}
          >
            <History aria-hidden="true" className="size-4" />
            {words.history}
          </Button>
          <Link href="/rules?new=1" className={buttonLook("primary")}>
            <Plus aria-hidden="true" className="size-4" />
            {words.add}
          </Link>
        </div>
      </PageHeading>
      {saved && (
        <div className="mb-4">
          <Notice>
            {savedText(saved)}{" "}
            {saved.user && (
              <Link
                href={pathOf.recommendations(saved.user)}
                className="font-medium underline underline-offset-2"
              >
                {words.seeList(saved.user)}
              </Link>
            )}
          </Notice>
        </div>
      )}
      <QueryView query={rules}>
        {({ rules: rows, source }) => (
          <>
            {words.sources[source] && (
              <div className="mb-4">
                <Notice tone="warn">{words.sources[source]}</Notice>
              </div>
            )}
            {rows.length === 0 ? (
              <EmptyState title={words.none}>
                <p className="mb-3">{words.noneHint}</p>
                <Link href="/rules?new=1" className={buttonLook("primary")}>
                  {words.add}
                </Link>
              </EmptyState>
            ) : (
              <ul aria-label={words.list} className="space-y-3">
                {rows.map((row) => (
                  <RuleCard
                    key={row.id}
                    row={row}
                    onHistory={() => {
                      setView({ history: row.id });
                    }}
                  />
                ))}
              </ul>
            )}
          </>
        )}
      </QueryView>
      <HistoryWindow
        of={view.history}
        onClose={() => {
          setView({ history: "" });
        }}
        onAll={() => {
          setView({ history: "all" });
        }}
      />
    </>
  );
}
