import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import { t } from "@/strings/en";

import { useBlurb } from "./queries";

/** An item in a few words, and who wrote them. */
export function Blurb({ itemId }: { itemId: string }) {
  const query = useBlurb(itemId);
  return (
    <QueryView query={query} skeleton={<SkeletonLines lines={2} />}>
      {({ text, text_source: by, cached, language }) => (
        <figure data-part="blurb">
          {text ? (
            <blockquote lang={language} className="leading-relaxed">
              {text}
            </blockquote>
          ) : (
            <p className="text-muted">{t.why.blurb.empty}</p>
          )}
          {text && (
            <figcaption className="mt-1 text-xs text-muted">
              {t.why.blurb.by[by]}
              {cached && ` · ${t.why.blurb.cached}`}
            </figcaption>
          )}
        </figure>
      )}
    </QueryView>
  );
}
