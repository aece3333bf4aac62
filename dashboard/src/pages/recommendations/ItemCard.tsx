import { ChevronDown, Sparkles, Star } from "lucide-react";
import { memo } from "react";

import type { Schema } from "@/api/client";
import { Badge } from "@/components/Badge";
import { Button } from "@/components/Button";
import { CopyId } from "@/components/CopyId";
import { ItemImage } from "@/components/ItemImage";
import { ItemLink } from "@/components/Links";
import { Meter } from "@/components/Meter";
import { Price } from "@/components/Price";
import { RankMove } from "@/explanations/RankMove";
import { SimilarButton } from "@/explanations/SimilarButton";
import { format } from "@/lib/format";
import { sourceName } from "@/lib/sourceName";
import { t } from "@/strings/en";

import type { ListedItem } from "./listOrder";

const text = t.recommendations.card;

interface Props {
  item: ListedItem;
  card: Schema<"FoundItem"> | undefined;
  /** It is there because it is popular, in the place of a personal one. */
  fills: boolean;
  /** Length of its score's bar, from 0 to 1. */
  scoreBar: number;
  /** Whether what is behind it is shown, in the element of this id. */
  open: boolean;
  panelId: string;
  onToggle: (itemId: string) => void;
}

/** An item of a list: what it is, how high it was placed, by what, and why. A list that is sorted leaves its cards as they are. */
export const ItemCard = memo(function ItemCard(props: Props) {
  const { item, card, fills, scoreBar, open } = props;
  return (
    <article
      className={
        "flex h-full flex-col gap-3 rounded-xl border bg-surface p-4 transition-shadow hover:shadow-md " +
        (open ? "border-accent" : "border-line")
      }
    >
      <Head item={item} card={card} />
      <PriceAndRating item={item} />
      <div className="grid grid-cols-2 gap-4">
        <Meter label={text.score} note={text.scoreNote} share={scoreBar} text={format.fixed(item.score, 2)} />
        <Meter label={text.confidence} share={item.confidence} text={format.percent(item.confidence)} />
      </div>
      {item.why && (
        <p className="flex gap-2 rounded-lg bg-sunken px-3 py-2 text-sm leading-snug">
          <Sparkles aria-hidden="true" className="mt-0.5 size-3.5 shrink-0 text-accent" />
          <span className="min-w-0">{item.why.text}</span>
        </p>
      )}
      <RankMove item={item} />
      <Sources item={item} fills={fills} />
      <Actions {...props} />
    </article>
  );
});

function Head({ item, card }: Pick<Props, "item" | "card">) {
  return (
    <div className="flex gap-3">
      <ItemImage
        image={card?.image}
        categories={card?.categories}
        className="size-20 shrink-0 rounded-lg text-3xl"
      />
      <div className="min-w-0 flex-1">
        <p className="flex items-center justify-between gap-2 text-xs text-muted">
          <span className="min-w-0 truncate">{card?.categories.at(-1)}</span>
          <Rank item={item} />
        </p>
        <h3 className="mt-0.5 text-sm leading-snug font-semibold">
          <ItemLink id={item.item_id} className="line-clamp-3">
            {item.title ?? t.item.noTitle}
          </ItemLink>
        </h3>
        <p className="mt-0.5 truncate text-xs text-muted">{item.brand ?? t.item.noBrand}</p>
      </div>
    </div>
  );
}

function PriceAndRating({ item: { price, predicted_rating: rating } }: Pick<Props, "item">) {
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-3">
      <span className={price === null ? "text-xs" : "text-lg font-semibold"}>
        <Price value={price} />
      </span>
      {rating !== null && (
        <span className="flex items-center gap-1 text-xs text-muted">
          <Star aria-hidden="true" className="size-3.5" />
          <span className="font-medium text-ink">{format.fixed(rating, 1)}</span>
          {text.rating}
        </span>
      )}
    </div>
  );
}

function Actions({ item, open, panelId, onToggle }: Props) {
  return (
    <div className="mt-auto flex flex-wrap items-center gap-1 border-t border-line pt-3">
      <Button
        size="small"
        aria-expanded={open}
        aria-controls={panelId}
        aria-label={text.whyOf(item.title ?? item.item_id)}
        onClick={() => {
          onToggle(item.item_id);
        }}
      >
        {text.why}
        <ChevronDown aria-hidden="true" className={`size-3.5 ${open ? "rotate-180" : ""}`} />
      </Button>
      <SimilarButton itemId={item.item_id} title={item.title} />
      <span className="ml-auto">
        <CopyId id={item.item_id} />
      </span>
    </div>
  );
}

function Rank({ item }: { item: ListedItem }) {
  const rank = format.count(item.rank);
  return (
    <span className="flex shrink-0 items-center gap-1">
      <span className="rounded-md bg-accent px-1.5 py-0.5 text-xs font-semibold text-on-accent">
        <span aria-hidden="true">{text.rank(rank)}</span>
        <span className="sr-only">{text.rankSpoken(rank)}</span>
      </span>
    </span>
  );
}

function Sources({ item, fills }: { item: ListedItem; fills: boolean }) {
  return (
    <ul aria-label={text.sources} className="flex flex-wrap gap-1">
      {fills && (
        <li>
          <Badge tone="warn">{text.fill}</Badge>
        </li>
      )}
      {item.sources.map((name) => (
        <li key={name} className="max-w-full">
          <Badge>{sourceName(name)}</Badge>
        </li>
      ))}
    </ul>
  );
}
