import { Link } from "wouter";

import { Notice } from "@/components/Notice";
import { t } from "@/strings/en";

import type { List } from "./queries";

const text = t.recommendations.notices;

/** What is special about a list, said plainly. */
export function ListNotices({ list, model }: { list: List; model: string }) {
  const { shortfall, shortened_by: shortened, unknown_items: unknown = [] } = list;
  return (
    <div className="space-y-2 empty:hidden">
      {list.fallback_used && (
        <Notice tone="warn">
          {list.primary_model === model
            ? text.filledUp(list.fallback_reason ?? "")
            : text.allPopular(list.fallback_reason ?? "")}
        </Notice>
      )}
      {shortfall > 0 && (
        <Notice>
          {text.shortfall(shortfall)}
          {shortened && <> {text.shortenedBy(shortened.reason)}</>}
          {shortened && shortened.rules.length > 0 && (
            <>
              {" "}
              {text.rules} {shortened.rules.join(", ")} (
              <Link href="/rules" className="underline">
                {t.nav.rules}
              </Link>
              )
            </>
          )}
        </Notice>
      )}
      {list.store === "unavailable" && <Notice tone="warn">{text.storeUnavailable}</Notice>}
      {unknown.length > 0 && <Notice tone="warn">{text.unknownItems(unknown.join(", "))}</Notice>}
    </div>
  );
}
