import { ArrowLeft } from "lucide-react";
import { Tabs } from "radix-ui";
import { useEffect, useState } from "react";

import { useCards } from "@/api/cards";
import type { Schema } from "@/api/client";
import { announce } from "@/components/Announcer";
import { Button } from "@/components/Button";
import { EmptyState } from "@/components/EmptyState";
import { Notice } from "@/components/Notice";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import { Window } from "@/components/Window";
import { t } from "@/strings/en";

import { SimilarRow } from "./parts/SimilarRow";
import { useSimilar, type SimilarBy } from "./queries";
import { useCloseOnMove } from "./useCloseOnMove";

export interface Named {
  id: string;
  title: string;
}

const KINDS: SimilarBy[] = ["both", "behaviour", "content"];

interface Props {
  open: boolean;
  onClose: () => void;
  itemId: string;
  title: string | null;
}

/** Items similar to one; to each of these in turn, and the way back. */
export function SimilarWindow({ open, onClose, itemId, title }: Props) {
  const first = { id: itemId, title: title ?? t.item.noTitle };
  const [further, setFurther] = useState<Named[]>([]);
  const close = () => {
    setFurther([]);
    onClose();
  };
  useCloseOnMove(close);
  const way = [first, ...further];
  const here = way.at(-1) ?? first;
  const before = way.at(-2);
  return (
    <Window open={open} onClose={close} title={t.why.similar.title(here.title)} wide>
      {before && (
        <Button
          look="quiet"
          size="small"
          className="mb-3"
          onClick={() => {
            setFurther(further.slice(0, -1));
          }}
        >
          <ArrowLeft aria-hidden="true" className="size-4 shrink-0" />
          {t.why.similar.back(before.title)}
        </Button>
      )}
      <SimilarItems
        item={here}
        onAgain={(item) => {
          setFurther([...further, item]);
        }}
      />
    </Window>
  );
}

/** Items similar to one, by what a person chooses of behaviour, content and both. */
export function SimilarItems({ item, onAgain }: { item: Named; onAgain?: (item: Named) => void }) {
  const [by, setBy] = useState<SimilarBy>("both");
  return (
    <Tabs.Root
      className="@container"
      value={by}
      onValueChange={(value) => {
        setBy(KINDS.find((kind) => kind === value) ?? "both");
      }}
    >
      <Tabs.List aria-label={t.why.similar.by} className="flex flex-wrap gap-1 border-b border-line">
        {KINDS.map((kind) => (
          <Tabs.Trigger
            key={kind}
            value={kind}
            className="-mb-px min-h-9 border-b-2 border-transparent px-3 text-sm font-medium text-muted hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink"
          >
            {t.why.similar.kinds[kind]}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {KINDS.map((kind) => (
        <Tabs.Content key={kind} value={kind} className="pt-3">
          <p className="mb-3 text-sm text-muted">{t.why.similar.hints[kind]}</p>
          <Results key={item.id} item={item} by={kind} onAgain={onAgain} />
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}

function Results({
  item,
  by,
  onAgain,
}: {
  item: Named;
  by: SimilarBy;
  onAgain: ((item: Named) => void) | undefined;
}) {
  const query = useSimilar(item.id, by);
  const count = query.data?.items.length;
  useEffect(() => {
    if (count !== undefined) announce(t.why.similar.shown(item.title, count));
  }, [item.title, by, count]);
  return (
    <QueryView query={query} skeleton={<SkeletonLines lines={8} />}>
      {(answer) => <List answer={answer} onAgain={onAgain} />}
    </QueryView>
  );
}

function List({
  answer,
  onAgain,
}: {
  answer: Schema<"SimilarResponse">;
  onAgain: ((item: Named) => void) | undefined;
}) {
  const { cards } = useCards(answer.items.map((item) => item.item_id));
  return (
    <div className="space-y-4">
      {answer.fallback_used && <Notice>{t.why.similar.fallback}</Notice>}
      {answer.shortened_by && <Notice>{t.why.similar.shortened}</Notice>}
      {answer.items.length === 0 && <EmptyState title={t.why.similar.empty} />}
      <ol className="divide-y divide-line">
        {answer.items.map((item) => (
          <SimilarRow key={item.item_id} item={item} card={cards.get(item.item_id)} onAgain={onAgain} />
        ))}
      </ol>
    </div>
  );
}
