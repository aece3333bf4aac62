import { Link } from "wouter";

import type { Schema } from "@/api/client";
import { Card } from "@/components/Card";
import { pathOf } from "@/components/Links";
import { Meter } from "@/components/Meter";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

interface Props {
  title: string;
  kind: "brand" | "category";
  favourites: Schema<"Favourite">[];
}

/** The most frequent brands or categories of a history, as bars. */
export function Favourites({ title, kind, favourites }: Props) {
  return (
    <Card title={title}>
      {favourites.length === 0 ? (
        <p className="text-sm text-muted">{t.user.favourites.none}</p>
      ) : (
        <ul className="space-y-3">
          {favourites.map(({ name, items, share }) => (
            <li key={name}>
              <Meter
                label={
                  <Link
                    href={pathOf.items({ [kind]: name })}
                    className="inline-block py-1 text-ink underline underline-offset-2 hover:text-accent"
                  >
                    {name}
                  </Link>
                }
                share={share}
                text={t.user.favourites.share(format.count(items), items, format.percent(share))}
              />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
