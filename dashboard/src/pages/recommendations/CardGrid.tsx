import { X } from "lucide-react";
import { Fragment, useCallback, useEffect, useId, useRef, useState, type CSSProperties } from "react";

import type { Cards } from "@/api/cards";
import { Button } from "@/components/Button";
import { WhyPanel } from "@/explanations/WhyPanel";
import type { ListRequest } from "@/lib/listRequest";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { scoreBars } from "./bars";
import { cardOrder, panelOrder } from "./gridOrder";
import { ItemCard } from "./ItemCard";
import type { ListedItem } from "./listOrder";

interface Props {
  request: ListRequest;
  /** The whole list, which bars are scaled by; and those of it that are shown, in their order. */
  all: ListedItem[];
  shown: ListedItem[];
  cards: Cards;
}

/** The cards of a list in one, two or three columns; what is behind one opens below its row. */
export function CardGrid({ request, all, shown, cards }: Props) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const scores = scoreBars(all);
  const id = useId();
  const toggle = useCallback((itemId: string) => {
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(itemId)) after.add(itemId);
      return after;
    });
  }, []);
  return (
    <ul className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
      {shown.map((item, index) => {
        const { item_id: itemId } = item;
        const panelId = `${id}-${itemId}`;
        return (
          <Fragment key={itemId}>
            <li className="min-w-0" style={{ order: cardOrder(index) }}>
              <ItemCard
                item={item}
                card={cards.get(itemId)}
                fills={request.model !== POPULAR && item.model_source === POPULAR}
                scoreBar={scores.get(itemId) ?? 0}
                open={open.has(itemId)}
                panelId={panelId}
                onToggle={toggle}
              />
            </li>
            {open.has(itemId) && (
              <li id={panelId} style={panelPlace(index)} className={PANEL}>
                <Behind
                  item={item}
                  request={request}
                  close={() => {
                    toggle(itemId);
                    focusOpener(panelId);
                  }}
                />
              </li>
            )}
          </Fragment>
        );
      })}
    </ul>
  );
}

/** The model, and what fills lists of the others up. */
const POPULAR = "popularity";

const PANEL =
  "order-(--one) col-span-full min-w-0 rounded-xl border border-accent bg-surface p-4 sm:order-(--two) sm:p-5 " +
  "xl:order-(--three)";

function panelPlace(index: number): CSSProperties {
  const columns = { "--one": 1, "--two": 2, "--three": 3 };
  return Object.fromEntries(Object.entries(columns).map(([name, count]) => [name, panelOrder(index, count)]));
}

/** The button that opened a panel names it. */
function focusOpener(panelId: string): void {
  document.querySelector<HTMLElement>(`[aria-controls="${CSS.escape(panelId)}"]`)?.focus();
}

interface BehindProps {
  item: ListedItem;
  request: ListRequest;
  close: () => void;
}

function Behind({ item, request, close }: BehindProps) {
  const title = item.title ?? item.item_id;
  const top = useRef<HTMLDivElement>(null);
  // Below a row of tall cards it would open out of sight.
  useEffect(() => {
    const at = top.current?.getBoundingClientRect().top ?? 0;
    if (at > window.innerHeight / 2) top.current?.scrollIntoView({ block: "center" });
  }, []);
  return (
    <>
      <div ref={top} className="mb-4 flex items-start justify-between gap-4">
        <h3 className="min-w-0 text-base font-semibold">
          {t.recommendations.card.whyHeading(format.count(item.rank), title)}
        </h3>
        <Button look="quiet" size="small" className="shrink-0" onClick={close}>
          <X aria-hidden="true" className="size-4" />
          {t.actions.close}
        </Button>
      </div>
      <WhyPanel request={request} item={item} />
    </>
  );
}
