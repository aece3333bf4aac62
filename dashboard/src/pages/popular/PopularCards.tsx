import { useCards } from "@/api/cards";
import type { Schema } from "@/api/client";
import { ItemImage } from "@/components/ItemImage";
import { ItemLink } from "@/components/Links";
import { Meter } from "@/components/Meter";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

/** Popular items with their ranks; bars compare them with the most popular that is shown. */
export function PopularCards({ items }: { items: Schema<"PopularItem">[] }) {
  const { cards } = useCards(items.map(({ item_id }) => item_id));
  const most = Math.max(1, ...items.map(({ popularity }) => popularity));
  return (
    <ol className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
      {items.map((item) => {
        const card = cards.get(item.item_id);
        return (
          <li key={item.item_id} className="flex gap-4 rounded-xl border border-line bg-surface p-4">
            <ItemImage
              image={card?.image}
              categories={card?.categories}
              className="size-16 shrink-0 rounded-lg"
            />
            <div className="flex min-w-0 flex-1 flex-col gap-1">
              <p className="text-xs text-muted">
                <span className="sr-only">{t.popular.rank} </span>#{format.count(item.rank)}
                {item.brand && ` · ${item.brand}`}
              </p>
              <ItemLink id={item.item_id} className="line-clamp-2 text-sm font-medium">
                {item.title ?? item.item_id}
              </ItemLink>
              <p className="text-sm">
                <Price value={item.price} />
              </p>
              <div className="mt-auto pt-1">
                <Meter
                  label={t.popular.popularity}
                  share={item.popularity / most}
                  text={format.decimal(item.popularity)}
                />
              </div>
            </div>
          </li>
        );
      })}
    </ol>
  );
}
