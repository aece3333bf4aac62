import { X } from "lucide-react";
import type { ReactNode } from "react";

import { useCards } from "@/api/cards";
import { Badge } from "@/components/Badge";
import { Button } from "@/components/Button";
import { Pager } from "@/components/Pager";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import { format } from "@/lib/format";
import { lastPage } from "@/lib/listPages";
import type { ListRequest } from "@/lib/listRequest";
import { sourceName } from "@/lib/sourceName";
import { t } from "@/strings/en";

import { compare, type Comparison } from "./comparison";
import { ListNotices } from "./ListNotices";
import { MadeFrom } from "./MadeFrom";
import { useList, type List } from "./queries";
import { RankedRows } from "./RankedRows";
import type { Change, State } from "./state";

const text = t.recommendations.compare;

interface Props {
  request: ListRequest;
  state: State;
  change: Change;
}

/** The lists that two models make of the same request, and what moved from the left one to the right one. */
export function TwoLists({ request, state, change }: Props) {
  const left = useList(request);
  const beside = { ...request, model: state.against };
  const right = useList(beside);
  const models = { left: sourceName(state.model), right: sourceName(state.against) };
  const compared = left.data && right.data ? compare(left.data.items, right.data.items) : undefined;
  const { cards } = useCards(idsOf(left.data, right.data));
  const column = (side: "left" | "right", list: List) => (
    <RankedRows
      list={list}
      request={side === "left" ? request : beside}
      side={side}
      compared={compared}
      cards={cards}
    />
  );
  const busy = left.isFetching || right.isFetching;
  return (
    <div className="space-y-4">
      {left.data && (
        <MadeFrom
          list={left.data}
          asOf={state.as_of}
          busy={busy}
          refresh={() => {
            void left.refetch();
            void right.refetch();
          }}
        />
      )}
      {compared && (
        <Moves
          compared={compared}
          models={models}
          stop={() => {
            change({ against: "" });
          }}
        />
      )}
      <div aria-busy={busy} className={`grid items-start gap-4 md:grid-cols-2 ${busy ? "opacity-60" : ""}`}>
        <Column title={models.left} query={left} model={state.model}>
          {(list) => column("left", list)}
        </Column>
        <Column title={models.right} query={right} model={state.against}>
          {(list) => column("right", list)}
        </Column>
      </div>
      <Pages request={request} lists={[left.data, right.data]} change={change} />
    </div>
  );
}

function idsOf(...lists: (List | undefined)[]): string[] {
  return [...new Set(lists.flatMap((list) => list?.items.map((item) => item.item_id) ?? []))];
}

interface MovesProps {
  compared: Comparison;
  models: { left: string; right: string };
  stop: () => void;
}

/** What moved, in numbers. */
function Moves({ compared, models, stop }: MovesProps) {
  const { overlap, both, up, down, same, onlyLeft, onlyRight } = compared;
  return (
    <section
      aria-label={text.title(models.left, models.right)}
      className="flex flex-wrap items-center gap-2 rounded-xl border border-line bg-surface px-4 py-3"
    >
      <span className="mr-1 text-lg font-semibold">{text.overlap(format.percent(overlap))}</span>
      <Badge>{text.both(both)}</Badge>
      <Badge tone="good">{text.up(up)}</Badge>
      <Badge tone="bad">{text.down(down)}</Badge>
      <Badge>{text.same(same)}</Badge>
      <Badge tone="warn">{text.onlyIn(onlyLeft, models.left)}</Badge>
      <Badge tone="accent">{text.onlyIn(onlyRight, models.right)}</Badge>
      <Button size="small" className="ml-auto" onClick={stop}>
        <X aria-hidden="true" className="size-3.5" />
        {text.stop}
      </Button>
    </section>
  );
}

interface ColumnProps {
  title: string;
  query: ReturnType<typeof useList>;
  model: string;
  children: (list: List) => ReactNode;
}

function Column({ title, query, model, children }: ColumnProps) {
  return (
    <section aria-label={title} className="min-w-0 rounded-xl border border-line bg-surface p-4">
      <h2 className="mb-3 flex flex-wrap items-baseline justify-between gap-2 text-base font-semibold">
        {title}
        {query.data && (
          <span className="text-xs font-normal text-muted">{format.ms(query.data.timing.total_ms)}</span>
        )}
      </h2>
      <QueryView query={query} skeleton={<SkeletonLines lines={12} />}>
        {(list) => (
          <div className="space-y-3">
            <ListNotices list={list} model={model} />
            {children(list)}
          </div>
        )}
      </QueryView>
    </section>
  );
}

interface PagesProps {
  request: ListRequest;
  lists: (List | undefined)[];
  change: Change;
}

/** The pages of both lists at once; there is a next one as long as one of them has more. */
function Pages({ request: { k, offset }, lists, change }: PagesProps) {
  const page = offset / k + 1;
  const more = lists.some((list) => list && list.shortfall === 0) && page < lastPage(k);
  const to = (number: number) => () => {
    change({ page: String(number) });
  };
  return (
    <Pager
      text={t.recommendations.list.ranks(format.count(offset + 1), format.count(offset + k))}
      onPrevious={page > 1 ? to(page - 1) : null}
      onNext={more ? to(page + 1) : null}
    />
  );
}
