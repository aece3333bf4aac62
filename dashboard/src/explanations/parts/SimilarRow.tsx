import type { Schema } from "@/api/client";
import { Button } from "@/components/Button";
import { ItemImage } from "@/components/ItemImage";
import { ItemLink } from "@/components/Links";
import { Meter } from "@/components/Meter";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import { sourceName } from "@/lib/sourceName";
import { t } from "@/strings/en";

interface Props {
  item: Schema<"SimilarItem">;
  card: Schema<"FoundItem"> | undefined;
  onAgain: ((item: { id: string; title: string }) => void) | undefined;
}

/** One similar item: what it is, how similar, and who says so. */
export function SimilarRow({ item, card, onAgain }: Props) {
  const title = item.title ?? t.item.noTitle;
  return (
    <li className="grid grid-cols-[3rem_minmax(0,1fr)] items-start gap-x-3 gap-y-2 py-3 @xl:grid-cols-[3rem_minmax(0,1fr)_10rem]">
      <ItemImage image={card?.image} categories={card?.categories} className="size-12 rounded-lg" />
      <div className="min-w-0 text-sm">
        <ItemLink id={item.item_id} className="font-medium">
          {title}
        </ItemLink>
        <p className="text-xs text-muted">
          {item.brand ?? t.item.noBrand} · <Price value={item.price} />
        </p>
        <p className="mt-1 text-xs">{t.why.similar.says(item.sources.map(sourceName).join(", "))}</p>
      </div>
      <div className="col-start-2 space-y-2 @xl:col-start-3">
        <Meter label={t.why.similar.score} share={item.score} text={format.fixed(item.score, 2)} />
        {onAgain && (
          <Button
            size="small"
            look="quiet"
            aria-label={t.why.similar.againOf(title)}
            onClick={() => {
              onAgain({ id: item.item_id, title });
            }}
          >
            {t.why.similar.again}
          </Button>
        )}
      </div>
    </li>
  );
}
