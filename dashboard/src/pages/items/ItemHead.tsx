import { Link } from "wouter";

import type { Schema } from "@/api/client";
import { buttonLook } from "@/components/Button";
import { CopyId } from "@/components/CopyId";
import { ItemImage } from "@/components/ItemImage";
import { pathOf } from "@/components/Links";
import { Price } from "@/components/Price";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { StandingBadges } from "./LiveStateCard";

const LINK = "inline-block min-h-6 max-w-full min-w-0 wrap-anywhere text-accent underline underline-offset-2";

/** Picture, brand, categories, price, popularity and description of an item. */
export function ItemHead({ item }: { item: Schema<"ItemResponse"> }) {
  return (
    <section className="grid gap-5 rounded-xl border border-line bg-surface p-5 sm:grid-cols-[12rem_minmax(0,1fr)]">
      <ItemImage
        image={item.image}
        categories={item.categories}
        className="h-48 w-full rounded-lg text-5xl!"
      />
      <div className="min-w-0 space-y-3">
        <p className="flex flex-wrap items-center gap-2 text-sm">
          <span className="font-mono text-xs break-all text-muted">{item.item_id}</span>
          <CopyId id={item.item_id} />
          <StandingBadges item={item} />
        </p>
        <p className="text-2xl font-semibold">
          <Price value={item.price} />
        </p>
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
          <dt className="text-muted">{t.itemPage.brand}</dt>
          <dd>
            {item.brand ? (
              <Link href={pathOf.items({ brand: item.brand })} className={LINK}>
                {item.brand}
              </Link>
            ) : (
              t.item.noBrand
            )}
          </dd>
          <dt className="text-muted">{t.itemPage.categories}</dt>
          <dd>
            <Categories categories={item.categories} />
          </dd>
          <dt className="text-muted">{t.itemPage.popularity}</dt>
          <dd>{t.itemPage.interactions(format.decimal(item.popularity))}</dd>
        </dl>
        {item.description ? (
          <p className="max-w-prose text-sm break-words whitespace-pre-line">{item.description}</p>
        ) : (
          <p className="text-sm text-muted">{t.itemPage.noDescription}</p>
        )}
        <RuleLinks item={item} />
      </div>
    </section>
  );
}

/** A shop that looks at an item wants it further up, or away: rules that begin with it. */
function RuleLinks({ item: { item_id: item, brand } }: { item: Schema<"ItemResponse"> }) {
  const links = [
    { text: t.itemPage.pin, to: pathOf.newRule({ action: "pin", item }) },
    { text: t.itemPage.hide, to: pathOf.newRule({ action: "hide", item }) },
    ...(brand ? [{ text: t.itemPage.hideBrand(brand), to: pathOf.newRule({ action: "hide", brand }) }] : []),
  ];
  return (
    <p className="flex flex-wrap gap-2">
      {links.map(({ text, to }) => (
        <Link
          key={to}
          href={to}
          className={`${buttonLook("plain", "small")} max-w-full min-w-0 wrap-anywhere`}
        >
          {text}
        </Link>
      ))}
    </p>
  );
}

/** From general to specific, each leads to its items. */
function Categories({ categories }: { categories: string[] }) {
  if (categories.length === 0) return <>{t.itemPage.noCategories}</>;
  return (
    <ol className="flex flex-wrap gap-x-1.5">
      {categories.map((category, index) => (
        <li key={category} className="flex max-w-full min-w-0">
          {index > 0 && (
            <span aria-hidden="true" className="mr-1.5 text-muted">
              ›
            </span>
          )}
          <Link href={pathOf.items({ category })} className={LINK}>
            {category}
          </Link>
        </li>
      ))}
    </ol>
  );
}
