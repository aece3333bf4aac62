import { ArrowDown, ArrowUp, Equal } from "lucide-react";
import { useState } from "react";

import type { Cards } from "@/api/cards";
import { Badge } from "@/components/Badge";
import { Button } from "@/components/Button";
import { ItemImage } from "@/components/ItemImage";
import { ItemLink } from "@/components/Links";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import type { Comparison, Place } from "./comparison";
import type { ListedItem } from "./listOrder";
import type { List } from "./queries";
import { WhyWindow } from "./WhyWindow";

const text = t.recommendations.compare;

type Side = "left" | "right";

interface Props {
  list: List;
  /** What it was asked for with. */
  request: ListRequest;
  side: Side;
  /** As soon as both lists are there. */
  compared: Comparison | undefined;
  cards: Cards;
}

/** A list in compact rows, each with where its item stands in the list beside. */
export function RankedRows({ list, request, side, compared, cards }: Props) {
  const [asked, setAsked] = useState<ListedItem | null>(null);
  return (
    <>
      <ol className="@container -mx-2">
        {list.items.map((item) => (
          // It takes the focus when it is looked for from the other list.
          <li
            key={item.item_id}
            id={rowId(side, item.item_id)}
            tabIndex={-1}
            className="scroll-m-4 rounded-lg px-2 focus:bg-accent-soft"
          >
            <Row
              item={item}
              cards={cards}
              place={compared?.places.get(item.item_id)}
              side={side}
              onWhy={() => {
                setAsked(item);
              }}
            />
          </li>
        ))}
      </ol>
      <WhyWindow
        item={asked}
        request={request}
        close={() => {
          setAsked(null);
        }}
      />
    </>
  );
}

function rowId(side: Side, itemId: string): string {
  return `${side}-${itemId}`;
}

function goTo(side: Side, itemId: string): void {
  const row = document.getElementById(rowId(side, itemId));
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

interface RowProps {
  item: ListedItem;
  cards: Cards;
  place: Place | undefined;
  side: Side;
  onWhy: () => void;
}

function Row({ item, cards, place, side, onWhy }: RowProps) {
  const card = cards.get(item.item_id);
  return (
    <div className="flex items-center gap-x-3 gap-y-1 border-b border-line py-2 text-sm @max-sm:flex-wrap">
      <span className="w-7 shrink-0 text-right text-xs font-semibold text-muted">
        {format.count(item.rank)}
      </span>
      <ItemImage
        image={card?.image}
        categories={card?.categories}
        className="size-10 shrink-0 rounded-md @max-sm:hidden"
      />
      <div className="min-w-0 flex-1">
        <p className="leading-snug font-medium">
          <ItemLink id={item.item_id} className="line-clamp-2">
            {item.title ?? t.item.noTitle}
          </ItemLink>
        </p>
        <p className="truncate text-xs text-muted">
          {item.brand && `${item.brand} · `}
          <Price value={item.price} /> · {format.fixed(item.score, 2)}
        </p>
      </div>
      <div className="flex shrink-0 items-center gap-3 @max-sm:basis-full @max-sm:pl-8">
        <Button
          look="quiet"
          size="small"
          aria-label={t.recommendations.card.whyOf(item.title ?? item.item_id)}
          onClick={onWhy}
        >
          {t.recommendations.card.why}
        </Button>
        <span className="min-w-12 shrink-0 text-right">
          {place && <Moved place={place} side={side} itemId={item.item_id} />}
        </span>
      </div>
    </div>
  );
}

interface MovedProps {
  place: Place;
  side: Side;
  itemId: string;
}

/** On the right, how far an item moved; on the left, where it went. Leads to it in the other list. */
function Moved({ place, side, itemId }: MovedProps) {
  if (place.in !== "both") return <Badge tone={side === "left" ? "warn" : "accent"}>{text.only}</Badge>;
  const other = side === "left" ? "right" : "left";
  return (
    <button
      type="button"
      className="min-h-6 rounded-md hover:underline"
      aria-label={text.placed(moveText(place.up), format.count(place[other]))}
      title={text.placed(moveText(place.up), format.count(place[other]))}
      onClick={() => {
        goTo(other, itemId);
      }}
    >
      {side === "left" ? (
        <span className="text-xs text-muted">{text.there(format.count(place.right))}</span>
      ) : (
        <Ranks up={place.up} />
      )}
    </button>
  );
}

function moveText(up: number): string {
  if (up === 0) return text.unmoved;
  return up > 0 ? text.movedUp(up) : text.movedDown(-up);
}

function Ranks({ up }: { up: number }) {
  if (up === 0)
    return (
      <Badge>
        <Equal className="size-3" />
      </Badge>
    );
  const Icon = up > 0 ? ArrowUp : ArrowDown;
  return (
    <Badge tone={up > 0 ? "good" : "bad"}>
      <Icon className="size-3" />
      {format.count(Math.abs(up))}
    </Badge>
  );
}
