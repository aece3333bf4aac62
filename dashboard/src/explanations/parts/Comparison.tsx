import { useEffect, useRef, useState } from "react";

import { announce } from "@/components/Announcer";
import { Button } from "@/components/Button";
import { ItemField } from "@/components/ItemField";
import { QueryView } from "@/components/QueryView";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { useComparison, type Explanation } from "../queries";
import { Part } from "./Part";
import { WaterfallChart } from "./WaterfallChart";

interface Props {
  answer: Explanation;
  request: ListRequest;
}

/** How the score comes about, compared with what the server compares with, or with an item of one's own choice. */
export function Comparison({ answer, request }: Props) {
  const [other, setOther] = useState<{ id: string; title: string } | null>(null);
  const opener = useRef<HTMLElement>(null);
  if (!answer.contributions) return null;
  const words = t.why.chart;
  return (
    <Part title={words.title}>
      {other ? (
        <Compared request={request} itemId={answer.item.item_id} reference={other.id} />
      ) : (
        <WaterfallChart answer={answer} />
      )}
      <details className="mt-4">
        <summary ref={opener} className="w-fit py-1 text-sm text-muted">
          {words.compare}
        </summary>
        <div className="mt-2 flex max-w-lg flex-wrap items-end gap-2">
          <div className="min-w-0 grow">
            <ItemField
              label={words.compareWith}
              value={other?.title ?? ""}
              onChoose={({ item_id: id, title }) => {
                setOther({ id, title: title ?? id });
              }}
            />
          </div>
          {other && (
            <Button
              onClick={() => {
                setOther(null);
                // The button goes away, and the focus must not go with it.
                opener.current?.focus();
              }}
            >
              {words.compareAsBefore}
            </Button>
          )}
        </div>
      </details>
    </Part>
  );
}

function Compared(props: { request: ListRequest; itemId: string; reference: string }) {
  const query = useComparison(props.request, props.itemId, props.reference);
  const title = query.data?.reference?.title ?? props.reference;
  useEffect(() => {
    if (query.data) announce(t.why.chart.compared(title));
  }, [query.data, title]);
  return <QueryView query={query}>{(answer) => <WaterfallChart answer={answer} />}</QueryView>;
}
