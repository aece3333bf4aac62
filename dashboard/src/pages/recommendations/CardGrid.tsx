import { Fragment, useId, useState, type CSSProperties } from "react";

import type { ListRequest } from "@/lib/listRequest";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { confidenceBars, scoreBars } from "./bars";
import { cardOrder, panelOrder } from "./gridOrder";
import { ItemCard } from "./ItemCard";
import type { Cards, ListedItem } from "./listOrder";

const text = t.recommendations.card;
const COLUMNS = { "--one": 1, "--two": 2, "--three": 3 };

interface Props {
  request: ListRequest;
  /** The whole list, which bars are scaled by; and those of it that are shown, in their order. */
  all: ListedItem[];
  shown: ListedItem[];
  cards: Cards;
  onSimilar: (item: ListedItem) => void;
}

/** The cards of a list in one, two or three columns; the reasons of one open below its row. */
export function CardGrid({ request, all, shown, cards, onSimilar }: Props) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const scores = scoreBars(all);
  const confidences = confidenceBars(all);
  const id = useId();
  const toggle = (itemId: string) => {
    const next = new Set(open);
    if (!next.delete(itemId)) next.add(itemId);
    setOpen(next);
  };
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
                scoreBar={scores.get(itemId) ?? 0}
                confidenceBar={confidences.get(itemId) ?? 0}
                why={{
                  open: open.has(itemId),
                  id: panelId,
                  toggle: () => {
                    toggle(itemId);
                  },
                }}
                onSimilar={() => {
                  onSimilar(item);
                }}
              />
            </li>
            {open.has(itemId) && (
              <li
                id={panelId}
                style={panelPlace(index)}
                className="order-(--one) col-span-full min-w-0 rounded-xl border border-accent bg-surface p-5 sm:order-(--two) xl:order-(--three)"
              >
                <h3 className="mb-3 text-base font-semibold">
                  {text.whyHeading(format.count(item.rank), item.title ?? itemId)}
                </h3>
                <Why request={request} item={item} />
              </li>
            )}
          </Fragment>
        );
      })}
    </ul>
  );
}

function panelPlace(index: number): CSSProperties {
  return Object.fromEntries(
    Object.entries(COLUMNS).map(([name, columns]) => [name, panelOrder(index, columns)]),
  );
}

function Why({ item }: { request: ListRequest; item: ListedItem }) {
  return <p>{item.why?.text}</p>;
}
